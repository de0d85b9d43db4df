// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a run of the command has around it.
 *
 * @param terminals the numbers of the streams that are terminals, such as {@code 012}
 * @param columns the width of the terminal
 */
public record Shell(
        InputStream in,
        PrintStream out,
        PrintStream err,
        String terminals,
        int columns,
        Map<String, String> environment,
        Pause pause) {

    private static final int COLUMNS = 100;
    private static final int NARROWEST = 40;

    /** Waits. */
    public interface Pause {

        /** Returns after this time. */
        void of(Duration time) throws InterruptedException;
    }

    /** The one of this process. The launcher says which streams are terminals, and how wide they are. */
    static Shell ofProcess() {
        return new Shell(
                System.in,
                System.out,
                System.err,
                System.getProperty("muster.terminals", ""),
                columns(System.getenv("COLUMNS")),
                System.getenv(),
                time -> Thread.sleep(time.toMillis()));
    }

    private static int columns(String text) {
        return text != null && text.matches("[0-9]{1,4}") ? Math.max(NARROWEST, Integer.parseInt(text)) : COLUMNS;
    }

    boolean isTerminal(int stream) {
        return terminals.contains(Integer.toString(stream));
    }

    /** A variable that is not empty. */
    Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isEmpty());
    }

    /** Returns a writer to a stream: in the encoding of the terminal, or in UTF-8 for programs and files. */
    PrintWriter writer(PrintStream stream, boolean forPeople) {
        return new PrintWriter(stream, true, forPeople ? Charset.defaultCharset() : StandardCharsets.UTF_8);
    }

    /** Says something to a person. */
    void say(String text) {
        writer(err, true).println(text);
    }

    /** Reads a line from a person or a program. Empty at the end. */
    Optional<String> line() throws IOException {
        return Optional.ofNullable(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine());
    }

    /** Asks for a secret without showing it. If the input is no terminal, reads a line of it. */
    String secret(String prompt) throws IOException, Failure {
        if (!isTerminal(0)) {
            return line().orElse("").strip();
        }
        Console console = Optional.ofNullable(System.console())
                .orElseThrow(() ->
                        new Failure(Exit.USAGE, "The input cannot be hidden here. Use --token-file or MUSTER_TOKEN."));
        char[] typed = console.readPassword("%s", prompt);
        return typed == null ? "" : new String(typed).strip();
    }

    /** The directory of settings, by the convention of XDG. */
    Path settings() {
        return variable("XDG_CONFIG_HOME")
                .map(Path::of)
                .filter(Path::isAbsolute)
                .orElseGet(() -> Path.of(variable("HOME").orElse(System.getProperty("user.home")), ".config"))
                .resolve("muster");
    }
}
