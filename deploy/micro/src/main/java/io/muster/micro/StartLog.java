// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * Holds back the server's messages while it starts. A failed start logs some hundred lines about the same fault, and
 * one readable message follows. Muster's own messages pass, unless they are errors. Afterwards the held records go to
 * the console, or into a file.
 *
 * <p>Handlers other than the console's, such as those of {@code --logtofile}, get everything as usual. With a
 * configuration of the user's own ({@code --logproperties}) nothing is held.
 */
final class StartLog extends Handler {

    private final List<LogRecord> held = new ArrayList<>();
    private final List<Handler> consoles = new ArrayList<>();
    private State state = State.HOLDING;

    private enum State {
        HOLDING,
        RELEASED,
        SILENT
    }

    /**
     * The format of records before the server reads its log configuration, and after it has closed it: the same as of
     * the rest.
     */
    private static final String LINE = "%1$tFT%1$tT.%1$tL%1$tz %4$s %3$s %5$s%6$s%n";

    /**
     * Holds records from now on, and again after each time that the server reads its log configuration, until released.
     */
    static StartLog hold() {
        System.setProperty("java.util.logging.SimpleFormatter.format", LINE);
        StartLog log = new StartLog();
        LogManager.getLogManager().addConfigurationListener(log::standBeforeConsole);
        log.standBeforeConsole();
        return log;
    }

    private synchronized void standBeforeConsole() {
        if (state == State.RELEASED) {
            return;
        }
        Logger root = Logger.getLogger("");
        consoles.clear();
        for (Handler handler : root.getHandlers()) {
            if (handler instanceof ConsoleHandler) {
                consoles.add(handler);
                root.removeHandler(handler);
            }
        }
        root.removeHandler(this);
        root.addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord record) {
        boolean muster =
                record.getLoggerName() != null && record.getLoggerName().startsWith("io.muster.");
        if (muster && record.getLevel().intValue() < Level.SEVERE.intValue()) {
            consoles.forEach(console -> console.publish(record));
        } else if (state == State.HOLDING) {
            held.add(record);
        }
    }

    /** Gives the console the held records, and those to come. */
    synchronized void release() {
        state = State.RELEASED;
        Logger root = Logger.getLogger("");
        root.removeHandler(this);
        for (Handler console : consoles) {
            root.addHandler(console);
            held.forEach(console::publish);
        }
        held.clear();
    }

    /** Writes the held records to a file, to examine a failed start, and is silent from then on. */
    synchronized void saveTo(Path file) throws IOException {
        state = State.SILENT;
        Formatter formatter = new SimpleFormatter();
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
            held.forEach(record -> out.print(formatter.format(record)));
        }
        held.clear();
    }

    @Override
    public void flush() {
        consoles.forEach(Handler::flush);
    }

    @Override
    public void close() {}
}
