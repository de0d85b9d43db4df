// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Opens the console in a browser, signed in by a link that is good once. */
@Command(
        name = "console",
        mixinStandardHelpOptions = true,
        description = "Opens the console in your browser, signed in by a link that is good once, for a minute.")
final class ConsoleCommand implements Callable<Integer> {

    private static final Duration OPENS_WITHIN = Duration.ofSeconds(5);

    private final Shell shell;

    @Option(names = "--print", description = "Prints the link instead.")
    private boolean print;

    @Option(names = "--profile", paramLabel = "NAME", description = "The profile, by default the current one.")
    private String profile;

    ConsoleCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws Failure, InterruptedException {
        Target target = Target.of(shell, profile);
        Map<String, Object> made = new Api(target, shell)
                .ask(Api.Request.of("POST", "/api/v1/console-links").with(Api.Body.json(Map.of())))
                .json();
        String link = Json.text(made, "url");
        if (!link.matches("https?://[\\x21-\\x7e]+#code=[A-Za-z0-9_-]+")) {
            throw new Failure(Exit.SERVER_FAULT, "The answer has no link to a console.");
        }
        if (print) {
            shell.out().println(Printable.text(link));
            return Exit.DONE;
        }
        // Other users of this machine see command lines, but not this page.
        Path page = shell.settings().resolve("console.html");
        try {
            SecretFile.replace(page, page(link));
            Process opened = new ProcessBuilder(opener(page)).inheritIO().start();
            // A browser that stays in the foreground has been opened too.
            if (opened.waitFor(OPENS_WITHIN.toMillis(), TimeUnit.MILLISECONDS) && opened.exitValue() != 0) {
                throw new Failure(Exit.USAGE, "No browser could be opened. Use --print.");
            }
        } catch (IOException e) {
            throw new Failure(
                    Exit.USAGE, "No browser could be opened: " + Printable.text(e.getMessage()) + ". Use --print.");
        }
        shell.say("The console opens in your browser: " + link.substring(0, link.indexOf('#')));
        return Exit.DONE;
    }

    /** A page that leads on to the link. */
    private static String page(String link) {
        String quoted = link.replace("&", "&amp;").replace("\"", "&quot;").replace("<", "&lt;");
        return "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">"
                + "<meta http-equiv=\"refresh\" content=\"0; url=" + quoted + "\"><a href=\"" + quoted
                + "\">Muster</a>\n";
    }

    private List<String> opener(Path page) {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String file = page.toUri().toString();
        return shell.variable("BROWSER")
                .map(browser -> List.of(browser, file))
                .orElseGet(() -> system.startsWith("windows")
                        ? List.of("rundll32", "url.dll,FileProtocolHandler", file)
                        : List.of(system.startsWith("mac") ? "open" : "xdg-open", file));
    }
}
