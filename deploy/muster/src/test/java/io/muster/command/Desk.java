// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** A user at a terminal, or a program: runs the command and keeps what it wrote. */
public final class Desk {

    private final Map<String, String> environment = new HashMap<>();
    private final List<Duration> pauses = new ArrayList<>();
    private String terminals = "";
    private String typed = "";
    private int columns = 100;
    private int mostPauses = 1000;

    /** The end of a run. */
    public record Ran(int status, String out, String err) {}

    /** @param home the directory of the user's settings */
    public Desk(Path home) {
        environment.put("XDG_CONFIG_HOME", home.toString());
    }

    Desk with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    /** All streams are terminals. */
    Desk atTerminal(int width) {
        terminals = "012";
        columns = width;
        return this;
    }

    Desk typing(String text) {
        typed = text;
        return this;
    }

    /** The user interrupts the command when it waits once more. */
    Desk interruptedAfter(int number) {
        mostPauses = number;
        return this;
    }

    List<Duration> pauses() {
        return pauses;
    }

    /** Runs the command. */
    public Ran run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Muster.run(shell(out, err), args);
        return new Ran(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    CommandLine line() {
        return Muster.line(shell(new ByteArrayOutputStream(), new ByteArrayOutputStream()));
    }

    private Shell shell(ByteArrayOutputStream out, ByteArrayOutputStream err) {
        return new Shell(
                new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                terminals,
                columns,
                environment,
                this::pause);
    }

    private void pause(Duration time) throws InterruptedException {
        if (pauses.size() == mostPauses) {
            throw new InterruptedException();
        }
        pauses.add(time);
    }
}
