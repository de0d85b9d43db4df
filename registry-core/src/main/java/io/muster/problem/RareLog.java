package io.muster.problem;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A log of what anybody can cause by a request: of each key the first entry is written at once, and then at most one a minute,
 * which says how many were left out. Texts among the arguments are made one line ({@link OneLine}). Thread-safe.
 */
public final class RareLog {

    private static final long QUIET_NANOS = 60_000_000_000L;
    private static final int MOST_KEYS = 1000;

    private final Logger log;
    private final LongSupplier nanoTime;
    private final Map<String, Quiet> quiets = new ConcurrentHashMap<>();

    /** The minute after an entry. */
    private record Quiet(long since, long leftOut) {}

    /** Writes to a log by a time that only ever goes on, such as {@link System#nanoTime}. */
    RareLog(Logger log, LongSupplier nanoTime) {
        this.log = log;
        this.nanoTime = nanoTime;
    }

    /** Returns one that writes to the log of a class. */
    public static RareLog of(Class<?> owner) {
        return new RareLog(LoggerFactory.getLogger(owner), System::nanoTime);
    }

    /** Writes what operators may look into, unless this key had its entry in the last minute. */
    public void info(String key, String message, Object... arguments) {
        log(Level.INFO, key, message, arguments);
    }

    /** Writes what operators should look into, unless this key had its entry in the last minute. */
    public void warn(String key, String message, Object... arguments) {
        log(Level.WARN, key, message, arguments);
    }

    /** Writes what is broken, unless this key had its entry in the last minute. */
    public void error(String key, String message, Object... arguments) {
        log(Level.ERROR, key, message, arguments);
    }

    private void log(Level level, String key, String message, Object... arguments) {
        long leftOut = leftOut(key);
        if (leftOut >= 0) {
            log.atLevel(level)
                    .log(
                            leftOut == 0 ? message : message + " (and " + leftOut + " times before, not logged)",
                            Stream.of(arguments)
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
        // Keys that are too many share one.
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
