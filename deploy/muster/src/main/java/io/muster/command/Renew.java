// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Replaces the token of a profile. */
@Command(
        name = "renew",
        mixinStandardHelpOptions = true,
        description = "Replaces the token of a profile by a new one. It is shown nowhere.")
final class Renew implements Callable<Integer> {

    private final Shell shell;

    @Option(names = "--profile", paramLabel = "NAME", description = "The profile, by default the current one.")
    private String profile;

    @Option(names = "--overlap", paramLabel = "TIME", description = "How long the old token works, by default P1D.")
    private String overlap;

    Renew(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws Failure, InterruptedException {
        Target target = Target.of(shell, profile);
        if (target.profile().isEmpty()) {
            throw new Failure(Exit.USAGE, "The token is from MUSTER_TOKEN, and there is no profile for the new one.");
        }
        Profiles profiles = Profiles.of(shell);
        // A file that cannot be written must fail before the token is replaced.
        profiles.put(target.profile().get(), target.stored(target.token()));
        Map<String, Object> answer = new LinkedHashMap<>(new Api(target, shell)
                .ask(Api.Request.of("POST", "/api/v1/me/token")
                        .with(Api.Body.json(overlap == null ? Map.of() : Map.of("overlap", overlap))))
                .json());
        profiles.put(target.profile().get(), target.stored(String.valueOf(answer.remove("token"))));
        Output.table.object(shell, answer);
        return Exit.DONE;
    }
}
