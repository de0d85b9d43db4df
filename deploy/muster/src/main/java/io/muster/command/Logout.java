// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Forgets a profile. */
@Command(
        name = "logout",
        mixinStandardHelpOptions = true,
        description = "Forgets a profile with its token. The token stays good: operators revoke ends it.")
final class Logout implements Callable<Integer> {

    private final Shell shell;

    @Option(names = "--profile", paramLabel = "NAME", description = "The profile, by default the current one.")
    private String profile;

    Logout(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws Failure {
        Profiles profiles = Profiles.of(shell);
        String name = Optional.ofNullable(profile).orElse(profiles.current());
        if (!profiles.remove(name)) {
            throw new Failure(Exit.NOT_FOUND, "There is no profile " + name + ".");
        }
        return Exit.DONE;
    }
}
