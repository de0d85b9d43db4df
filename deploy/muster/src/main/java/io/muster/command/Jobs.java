// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** Waits for jobs. */
final class Jobs {

    private static final Duration POLL = Duration.ofSeconds(1);
    private static final int PATIENCE = 120;
    private static final int BAR = 24;

    private final Api api;
    private final Shell shell;

    Jobs(Api api, Shell shell) {
        this.api = api;
        this.shell = shell;
    }

    /** Whether everything that a job had to do is done. */
    static int exit(Map<String, Object> job) {
        return Json.text(job, "state").equals("done") && Json.number(job, "failed") == 0 ? Exit.DONE : Exit.DIFFERENT;
    }

    static boolean hasEnded(Map<String, Object> job) {
        return Set.of("done", "failed", "cancelled").contains(Json.text(job, "state"));
    }

    /**
     * Returns the job when it has ended. The registry may be unreachable for two minutes meanwhile: another node may be
     * taking over.
     */
    Map<String, Object> await(String path) throws Failure, InterruptedException {
        int failures = 0;
        boolean drawn = false;
        while (true) {
            try {
                Map<String, Object> job = api.ask(Api.Request.of("GET", path)).json();
                failures = 0;
                if (shell.isTerminal(2)) {
                    shell.err().print("\r" + Printable.fit(progress(job), shell.columns() - 1, true));
                    shell.err().flush();
                    drawn = true;
                }
                if (hasEnded(job)) {
                    if (drawn) {
                        shell.err().println();
                    }
                    return job;
                }
            } catch (Failure e) {
                failures++;
                if (failures > PATIENCE || (e.exit() != Exit.UNAVAILABLE && e.exit() != Exit.SERVER_FAULT)) {
                    throw e;
                }
            }
            shell.pause().of(POLL);
        }
    }

    static String progress(Map<String, Object> job) {
        long done = Json.number(job, "done");
        long total = Json.number(job, "total");
        String text = "%s %,d".formatted(Printable.text(Json.text(job, "state")), done);
        if (total > 0) {
            int filled = (int) Math.min(BAR, done * BAR / total);
            text = "[" + "#".repeat(filled) + ".".repeat(BAR - filled) + "] " + text + " of %,d".formatted(total);
        }
        return text
                + ", %,d failed".formatted(Json.number(job, "failed"))
                + (job.get("rate") == null ? "" : ", " + Printable.text(String.valueOf(job.get("rate"))) + "/s");
    }
}
