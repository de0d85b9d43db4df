// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.logging.Filter;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Selects the records that the console gets by default: warnings and errors of the server, and everything that Muster
 * logs. Levels of loggers alone cannot do this, because the server gives some of its loggers a level of their own.
 *
 * <p>Broken requests and requests that are not HTTP are left out: anybody can send them, and the server logs up to some
 * hundred lines for each. Of the server's other records, each kind gets one a minute, since requests can cause many of
 * them.
 */
public final class ConsoleFilter implements Filter {

    private static final Formatter TEXT = new SimpleFormatter();
    private static final int MOST_CAUSES = 20;
    /** The messages for a connection that the other side closed. */
    private static final Set<String> GONE =
            Set.of("Connection is closed", "Connection reset", "Connection reset by peer", "Broken pipe");

    /**
     * The loggers that write when a connection breaks. They are held, because the log manager forgets loggers that
     * nobody holds.
     */
    private static final List<Logger> OF_CONNECTIONS = List.of(
            Logger.getLogger("jakarta.enterprise.web"),
            Logger.getLogger("org.glassfish.grizzly.filterchain.DefaultFilterChain"),
            Logger.getLogger("org.glassfish.grizzly.http.server.HttpHandler"),
            Logger.getLogger("org.glassfish.jersey.server.ServerRuntime$Responder"));

    /** The server's own number of a message, if it has one, and words. */
    private static final Pattern BEGINNING = Pattern.compile("(?:[A-Z-]{2,20}[0-9]{1,6}:?)?[\\p{Alpha} ,.-]{0,60}");

    private final RareRecords rare;

    /** Made by its name in {@code logging.properties}. */
    public ConsoleFilter() {
        this(new RareRecords(System::nanoTime));
    }

    ConsoleFilter(RareRecords rare) {
        this.rare = rare;
    }

    /**
     * Drops records about broken requests before a handler is asked. Handlers take one record at a time, and a thousand
     * broken connections would make every thread wait.
     */
    static void dropBrokenRequests() {
        OF_CONNECTIONS.forEach(logger -> logger.setFilter(record -> !isBrokenRequest(record)));
    }

    @Override
    public boolean isLoggable(LogRecord record) {
        return isMuster(record)
                || (record.getLevel().intValue() >= Level.WARNING.intValue()
                        && !isFalseAlarm(record)
                        && !isBrokenRequest(record)
                        && isDue(record));
    }

    /** Permits the first record of each kind, and then one a minute, which tells how many were left out. */
    private boolean isDue(LogRecord record) {
        long leftOut = rare.leftOut(kind(record));
        if (leftOut > 0) {
            record.setMessage(record.getMessage() + " (and " + leftOut + " times before, not logged)");
        }
        return leftOut >= 0;
    }

    /**
     * Returns the kind: the origin, the exception, and the beginning of the text. A stranger may have written anything
     * after a digit or a quote.
     */
    private static String kind(LogRecord record) {
        Matcher beginning = BEGINNING.matcher(String.valueOf(record.getMessage()));
        return record.getLoggerName() + " "
                + (record.getThrown() == null
                        ? ""
                        : record.getThrown().getClass().getName())
                + " " + (beginning.lookingAt() ? beginning.group() : "");
    }

    static boolean isMuster(LogRecord record) {
        return record.getLoggerName() != null && record.getLoggerName().startsWith("io.muster.");
    }

    /** Detects the server's warning about a property that it does obey. */
    private static boolean isFalseAlarm(LogRecord record) {
        return TEXT.formatMessage(record).startsWith("Ignoring invalid property errorReportValve");
    }

    /**
     * Detects records that anybody can cause: by sending half a request, or no valid one, or by not waiting for the
     * reply.
     */
    private static boolean isBrokenRequest(LogRecord record) {
        String logger = String.valueOf(record.getLoggerName());
        if (!logger.startsWith("org.glassfish.") && !logger.startsWith("jakarta.enterprise.web")) {
            return false;
        }
        // One of the server's loggers writes the stack trace into the text.
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
                || (thrown instanceof IOException && GONE.contains(message))
                || (thrown instanceof IllegalStateException && message.startsWith("Unknown protocol "))
                || (thrown instanceof IllegalArgumentException && message.startsWith("URLDecoder: "));
    }
}
