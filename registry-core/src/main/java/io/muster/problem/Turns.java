package io.muster.problem;

import java.time.Clock;
import java.time.Duration;

/**
 * When those may come back who cannot be served now: one after another, as fast as this node serves, so that a fleet that was turned
 * away does not come back all at once. Each node hands out its own turns. Thread-safe.
 *
 * <p>How fast it serves shows only while it has more to do than it can: it is the most that was served in one of the last ten seconds
 * in which somebody was turned away too. If nobody was served in those, as when the database is away, nothing is known and {@value
 * #PRESUMED} in a second are presumed.
 */
public final class Turns {

    /** Nobody is asked to come back sooner. */
    static final Duration LEAST = Duration.ofSeconds(5);

    /** And nobody later: those for whom there is no turn by then share the turns of others. */
    static final Duration MOST = Duration.ofMinutes(10);

    /** In a second: a small node's tokens and registrations. Too many costs a second request, too few costs everybody time. */
    static final int PRESUMED = 1_000;

    /** In a second, however few were served; else a second with one success would send the next devices away for minutes. */
    static final int SLOWEST = 100;

    private static final int LATELY = 10;
    private static final long MILLION = 1_000_000;

    private final Clock clock;
    private final Second[] seconds = new Second[LATELY + 1];
    private long last; // turn that was handed out, in microseconds since 1970

    /** What happened in a second. */
    private static final class Second {
        final long number;
        int served;
        int turnedAway;

        Second(long number) {
            this.number = number;
        }
    }

    /** Begins with no turn handed out. */
    public Turns(Clock clock) {
        this.clock = clock;
    }

    /** Counts a request that was served. */
    public synchronized void served() {
        second(micros()).served++;
    }

    /** Turns a request away and returns how long it should wait: whole seconds, from five to six hundred. */
    public synchronized Duration next() {
        long now = micros();
        second(now).turnedAway++;
        long each = MILLION / rate(now);
        last = Math.max(last, now) + each;
        if (last > now + MOST.toSeconds() * MILLION) {
            // All are given away, or somebody set the clock back.
            last = now + each;
        }
        long wait = (last - now + MILLION - 1) / MILLION;
        return Duration.ofSeconds(Math.max(LEAST.toSeconds(), wait));
    }

    private int rate(long now) {
        long present = now / MILLION;
        int most = 0;
        for (Second second : seconds) {
            // The present one is not over, and says too little.
            if (second != null
                    && second.turnedAway > 0
                    && second.number < present
                    && second.number >= present - LATELY) {
                most = Math.max(most, second.served);
            }
        }
        return most == 0 ? PRESUMED : Math.max(SLOWEST, most);
    }

    private Second second(long now) {
        long number = now / MILLION;
        int at = Math.floorMod(number, seconds.length);
        if (seconds[at] == null || seconds[at].number != number) {
            seconds[at] = new Second(number);
        }
        return seconds[at];
    }

    private long micros() {
        return Math.multiplyExact(clock.millis(), 1_000);
    }
}
