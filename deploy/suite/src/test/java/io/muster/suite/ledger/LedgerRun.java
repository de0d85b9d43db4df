// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.ledger.Faults.Fault;
import io.muster.suite.ledger.World.Databases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

/** One run of the harness: faults under load, and the settlement. */
final class LedgerRun {

    private LedgerRun() {}

    /**
     * The result of a run.
     *
     * @param wrong every promise that was broken
     */
    record Result(String report, List<String> wrong, Path ledger) {}

    /**
     * Runs it.
     *
     * @param seed of the list of faults and of the load
     * @param withMinutes whether processes are also stopped for a whole minute
     * @param limit after this time no further fault begins
     */
    static Result of(Databases kind, int count, long seed, boolean withMinutes, Duration limit)
            throws InterruptedException {
        Path file = SharedWorld.directory("ledger-" + kind).resolve("ledger.txt");
        Instant began = Instant.now();
        try (Ledger ledger = new Ledger(file);
                World world = World.start(kind)) {
            Faults faults = new Faults(world, ledger, withMinutes);
            Load load = new Load(world, ledger, seed);
            List<Fault> list = faults.list(seed, count);
            Instant loaded = Instant.now();
            load.begin();
            faults.run(list, limit);
            load.end();
            new Settlement(world, ledger).check(load.kept());
            return new Result(
                    report(kind, seed, faults, ledger, Duration.between(loaded, Instant.now()), began),
                    ledger.wrong(),
                    file);
        }
    }

    private static String report(
            Databases kind, long seed, Faults faults, Ledger ledger, Duration lasted, Instant began) {
        StringBuilder text = new StringBuilder();
        text.append("Run of ")
                .append(began.truncatedTo(ChronoUnit.SECONDS))
                .append(", ")
                .append(kind)
                .append(", ")
                .append(faults.done().values().stream()
                        .mapToInt(Integer::intValue)
                        .sum())
                .append(" faults, seed ")
                .append(seed)
                .append(", ")
                .append(lasted.toSeconds())
                .append(" s.\n\n| Fault | Times |\n| --- | --- |\n");
        faults.done().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(one -> text.append("| ")
                .append(one.getKey())
                .append(" | ")
                .append(one.getValue())
                .append(" |\n"));
        text.append("\n| Answer | Times |\n| --- | --- |\n");
        ledger.counts().forEach((what, times) -> {
            if (!what.startsWith("fault ") && !what.startsWith("healed ")) {
                text.append("| ").append(what).append(" | ").append(times).append(" |\n");
            }
        });
        text.append("\nSerials: ")
                .append(ledger.accounts().size())
                .append(". Promises broken: ")
                .append(ledger.wrong().size())
                .append(".\n");
        ledger.wrong().stream().limit(50).forEach(one -> text.append("\n- ").append(one));
        return text.toString();
    }

    /**
     * Runs it from a shell, for runs that are too long for Maven: databases, number of faults, seed, minutes at most,
     * file of the report. It ends with 1 if a promise was broken.
     */
    public static void main(String... arguments) throws InterruptedException, IOException {
        Result result = of(
                Databases.valueOf(arguments[0]),
                Integer.parseInt(arguments[1]),
                Long.parseLong(arguments[2]),
                true,
                Duration.ofMinutes(Long.parseLong(arguments[3])));
        Files.writeString(Path.of(arguments[4]), result.report());
        System.out.println(result.report());
        System.out.println(result.ledger());
        System.exit(result.wrong().isEmpty() ? 0 : 1);
    }
}
