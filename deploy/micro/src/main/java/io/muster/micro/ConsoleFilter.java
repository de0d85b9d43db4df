package io.muster.micro;

import java.io.EOFException;
import java.io.IOException;
import java.util.Set;
import java.util.logging.Filter;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/**
 * What the console gets by default: warnings and errors of the server, and everything Muster logs. Levels of loggers alone
 * cannot say so, because the server gives some of its loggers a level of their own.
 *
 * <p>Requests that are not HTTP, or that break off, are left out: anybody can send them, and the server logs up to some hundred
 * lines for each.
 */
public final class ConsoleFilter implements Filter {

    private static final Formatter TEXT = new SimpleFormatter();
    private static final int MOST_CAUSES = 20;
    /** How it is said that the other side went away. */
    private static final Set<String> GONE =
            Set.of("Connection is closed", "Connection reset", "Connection reset by peer", "Broken pipe");

    /** Made by name, from {@code logging.properties}. */
    public ConsoleFilter() {}

    @Override
    public boolean isLoggable(LogRecord record) {
        return isMuster(record)
                || record.getLevel().intValue() >= Level.WARNING.intValue()
                        && !isFalseAlarm(record)
                        && !isBrokenRequest(record);
    }

    static boolean isMuster(LogRecord record) {
        return record.getLoggerName() != null && record.getLoggerName().startsWith("io.muster.");
    }

    /** The server says so of a property that it then obeys. */
    private static boolean isFalseAlarm(LogRecord record) {
        return TEXT.formatMessage(record).startsWith("Ignoring invalid property errorReportValve");
    }

    /** What anybody can cause by sending half a request, or what is none, or by not waiting for the reply. */
    private static boolean isBrokenRequest(LogRecord record) {
        String logger = String.valueOf(record.getLoggerName());
        if (!logger.startsWith("org.glassfish.") && !logger.startsWith("jakarta.enterprise.web")) {
            return false;
        }
        // One of the server's loggers writes the trace into the text.
        String text = String.valueOf(record.getMessage());
        if (GONE.stream().anyMatch(gone -> text.contains("\njava.io.IOException: " + gone))) {
            return true;
        }
        Throwable thrown = record.getThrown();
        for (int depth = 0; thrown != null && depth < MOST_CAUSES; depth++) {
            if (isOfTheConnection(thrown)) {
                return true;
            }
            thrown = thrown.getCause();
        }
        return false;
    }

    private static boolean isOfTheConnection(Throwable thrown) {
        String name = thrown.getClass().getSimpleName();
        String message = String.valueOf(thrown.getMessage());
        return thrown instanceof EOFException
                || name.equals("HttpBrokenContentException")
                || name.equals("ClientAbortException")
                || thrown instanceof IOException && GONE.contains(message)
                || thrown instanceof IllegalArgumentException && message.startsWith("URLDecoder: ");
    }
}
