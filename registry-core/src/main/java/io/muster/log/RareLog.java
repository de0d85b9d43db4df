// SPDX-License-Identifier: Apache-2.0
package io.muster.log;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * A log for events that anybody can cause by a request. For each key it writes the first entry at once, and then at
 * most one a minute, which tells how many were left out. Texts among the arguments are made one line ({@link OneLine}).
 * Thread-safe.
 */
public final class RareLog {

    private static final long QUIET_NANOS = 60_000_000_000L;
    private static final int MOST_KEYS = 1000;

    private final Logger log;
    private final LongSupplier nanoTime;
    private final Map<String, Quiet> quiets = new ConcurrentHashMap<>();

    /** The minute after an entry. */
    private record Quiet(long since, long leftOut) {}

    /** Writes to a log, by a monotonic clock such as {@link System#nanoTime}. */
    RareLog(Logger log, LongSupplier nanoTime) {
        this.log = log;
        this.nanoTime = nanoTime;
    }

    /** Returns one that writes to the log of a class. */
    public static RareLog of(Class<?> owner) {
        return new RareLog(LoggerFactory.getLogger(owner), System::nanoTime);
    }

    /** Writes an entry that operators may look into, unless this key had one in the last minute. */
    public void info(String key, String message, Object... arguments) {
        log(Level.INFO, key, message, arguments);
    }

    /** Writes an entry that operators should look into, unless this key had one in the last minute. */
    public void warn(String key, String message, Object... arguments) {
        log(Level.WARN, key, message, arguments);
    }

    /** Writes an entry about something broken, unless this key had one in the last minute. */
    public void error(String key, String message, Object... arguments) {
        log(Level.ERROR, key, message, arguments);
    }

    private void log(Level level, String key, String message, Object... arguments) {
        long leftOut = leftOut(key);
        if (leftOut >= 0) {
            LoggingEventBuilder entry = log.atLevel(level);
            int length = arguments.length;
            if (length > 0 && arguments[length - 1] instanceof Throwable thrown) {
                // This way of logging does not take the last argument for the cause.
                entry = entry.setCause(thrown);
                length--;
            }
            entry.log(
                    leftOut == 0 ? message : message + " (and " + leftOut + " times before, not logged)",
                    Stream.of(arguments)
                            .limit(length)
                            .map(argument -> argument instanceof String text ? OneLine.of(text) : argument)
                            .toArray());
        }
    }

    /** Returns how many entries were left out before this one, or -1 if this one is left out too. */
    private long leftOut(String key) {
        long now = nanoTime.getAsLong();
        if (quiets.size() >= MOST_KEYS) {
            quiets.values().removeIf(quiet -> now - quiet.since >= QUIET_NANOS);
        }
        long[] leftOut = {-1};
        // Keys beyond the limit share one.
        quiets.compute(quiets.size() < MOST_KEYS || quiets.containsKey(key) ? key : "", (same, quiet) -> {
            if (quiet != null && now - quiet.since < QUIET_NANOS) {
                return new Quiet(quiet.since, quiet.leftOut + 1);
            }
            leftOut[0] = quiet == null ? 0 : quiet.leftOut;
            return new Quiet(now, 0);
        });
        return leftOut[0];
    }
}
