package io.muster.micro;

import java.util.logging.Filter;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/**
 * What the console gets by default: warnings and errors of the server, and everything Muster logs. Levels of loggers alone
 * cannot say so, because the server gives some of its loggers a level of their own.
 *
 * <p>Requests that are not HTTP are left out: anybody can send them, and the server logs a stack trace for each.
 */
public final class ConsoleFilter implements Filter {

    private static final Formatter TEXT = new SimpleFormatter();

    /** Made by name, from {@code logging.properties}. */
    public ConsoleFilter() {}

    @Override
    public boolean isLoggable(LogRecord record) {
        return isMuster(record)
                || record.getLevel().intValue() >= Level.WARNING.intValue()
                        && !isFalseAlarm(record)
                        && !isBrokenRequest(record.getThrown());
    }

    static boolean isMuster(LogRecord record) {
        return record.getLoggerName() != null && record.getLoggerName().startsWith("io.muster.");
    }

    /** The server says so of a property that it then obeys. */
    private static boolean isFalseAlarm(LogRecord record) {
        return TEXT.formatMessage(record).startsWith("Ignoring invalid property errorReportValve");
    }

    private static boolean isBrokenRequest(Throwable thrown) {
        if (thrown == null) {
            return false;
        }
        boolean path = thrown instanceof IllegalArgumentException
                && String.valueOf(thrown.getMessage()).startsWith("URLDecoder: ");
        return path || thrown.getClass().getSimpleName().equals("HttpBrokenContentException");
    }
}
