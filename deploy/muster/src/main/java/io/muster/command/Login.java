// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import io.muster.spi.WrittenText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Stores a registry and a token for it. */
@Command(
        name = "login",
        mixinStandardHelpOptions = true,
        description = {
            "Signs in: checks a token, and stores it in a profile.",
            "The token is that of --token-file, otherwise MUSTER_TOKEN, otherwise you are asked for it."
                    + " Without a terminal it is the first line of the input."
        })
final class Login implements Callable<Integer> {

    private final Shell shell;

    @Parameters(index = "0", paramLabel = "URL", description = "The address: https://host[:port][/path]")
    private String url;

    @Option(names = "--token-file", paramLabel = "FILE", description = "A file with the token.")
    private Path tokenFile;

    @Option(names = "--profile", paramLabel = "NAME", description = "The profile, by default the current one.")
    private String profile;

    @Option(
            names = "--fleet",
            paramLabel = "FLEET",
            description = "The fleet to use if none is named (${DEFAULT-VALUE}).")
    private String fleet = "default";

    @Option(
            names = "--ca-file",
            paramLabel = "FILE",
            description = "Trust these PEM certificates, and not Java's own list.")
    private Path caFile;

    @Option(
            names = "--allow-plain-http",
            description = "Permits http to other machines. Everybody on the way can read the token.")
    private boolean plainHttp;

    Login(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws Failure, InterruptedException {
        Profiles profiles = Profiles.of(shell);
        String name = Optional.ofNullable(profile)
                .or(() -> shell.variable("MUSTER_PROFILE"))
                .orElse(profiles.current());
        Target target = new Target(
                Target.address(url, plainHttp),
                token(),
                Optional.ofNullable(caFile),
                plainHttp,
                fleet,
                Optional.of(name));
        Map<String, Object> me =
                new Api(target, shell).ask(Api.Request.of("GET", "/api/v1/me")).json();
        profiles.put(name, target.stored(target.token()));
        if (profiles.find(profiles.current()).isEmpty()) {
            profiles.use(name);
        }
        shell.say("You are " + Printable.text(Json.text(me, "name")) + " at " + target + ". Profile " + name + " is in "
                + profiles.file() + ".");
        return Exit.DONE;
    }

    private String token() throws Failure {
        try {
            if (tokenFile != null) {
                return WrittenText.read(tokenFile).strip();
            }
            Optional<String> variable = shell.variable("MUSTER_TOKEN");
            return variable.isPresent() ? variable.get() : shell.secret("Operator token: ");
        } catch (IOException e) {
            throw new Failure(Exit.USAGE, "Cannot read the token: " + e.getMessage());
        }
    }
}
