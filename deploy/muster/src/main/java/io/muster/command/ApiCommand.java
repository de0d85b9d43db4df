// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Any request of the operator API. */
@Command(
        name = "api",
        mixinStandardHelpOptions = true,
        description = {
            "Sends any request of the operator API, also one for which there is no command.",
            "The answer is written as it arrives."
        })
final class ApiCommand implements Callable<Integer> {

    private final Shell shell;

    @Parameters(index = "0", paramLabel = "METHOD", description = "GET, POST, PUT, PATCH or DELETE.")
    private String method;

    @Parameters(index = "1", paramLabel = "PATH", description = "The path with its query, such as /api/v1/me")
    private String path;

    @Option(names = "--body", paramLabel = "FILE", description = "The body; - is the standard input.")
    private String body;

    @Option(names = "--type", paramLabel = "TYPE", description = "The type of the body (${DEFAULT-VALUE}).")
    private String type = "application/json";

    @Option(
            names = "--header",
            paramLabel = "NAME:VALUE",
            description = "A header such as If-Match or Accept. May be repeated.")
    private List<String> headers = new ArrayList<>();

    @Option(names = "--save", paramLabel = "FILE", description = "A new file for the answer, which only you can read.")
    private Path save;

    @Option(names = "--profile", paramLabel = "NAME", description = "The profile, by default the current one.")
    private String profile;

    ApiCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws Failure, InterruptedException {
        if (!path.matches("/[\\x21-\\x7e&&[^\"<>\\\\^`{|}#]]*")) {
            throw new Failure(Exit.USAGE, "PATH begins with a slash. Other characters are written as %20.");
        }
        Api.Request request = Api.Request.of(method.toUpperCase(Locale.ROOT), path);
        for (String header : headers) {
            int colon = header.indexOf(':');
            if (colon < 1 || header.toLowerCase(Locale.ROOT).startsWith("authorization")) {
                throw new Failure(Exit.USAGE, "--header takes a name, a colon and a value, and no secret.");
            }
            request = request.with(
                    header.substring(0, colon), header.substring(colon + 1).strip());
        }
        if (body != null) {
            request = request.with(
                    body.equals("-") ? Api.Body.stream(type, shell.in()) : Api.Body.file(type, Path.of(body)));
        }
        try {
            return new Downloads(new Api(Target.of(shell, profile), shell), shell)
                    .fetch(request, Optional.ofNullable(save));
        } catch (IllegalArgumentException e) {
            throw new Failure(Exit.USAGE, "The method, the path or a header is not as HTTP has them.");
        }
    }
}
