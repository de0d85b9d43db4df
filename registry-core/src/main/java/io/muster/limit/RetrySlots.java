// SPDX-License-Identifier: Apache-2.0
package io.muster.limit;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;

/**
 * Tells clients that cannot be served now when to retry: one after another, as fast as this node serves. So a fleet
 * that was turned away does not come back all at once. Each node hands out its own turns. Thread-safe.
 *
 * <p>The speed of a node shows only under overload. It is the highest number of requests served in one of the last ten
 * seconds in which some were also turned away. If none was served in those, as when the database is unreachable,
 * {@value #PRESUMED} in a second are presumed.
 */
@Part
public final class RetrySlots {

    /** The shortest wait. */
    static final Duration LEAST = Duration.ofSeconds(5);

    /** The longest wait. Clients without a turn by then share the turns of others. */
    static final Duration MOST = Duration.ofMinutes(10);

    /**
     * Per second: the tokens and registrations of a small node. Too high a number costs a second request, too low a one
     * costs every client time.
     */
    static final int PRESUMED = 1_000;

    /**
     * Per second, however few were served. Otherwise one success in a second would send the next devices away for
     * minutes.
     */
    static final int SLOWEST = 100;

    private static final int LATELY = 10;
    private static final long MILLION = 1_000_000;

    private final Clock clock;
    private final Second[] seconds = new Second[LATELY + 1];
    private long last; // turn that was handed out, in microseconds since 1970

    /** The counts of one second. */
    private static final class Second {
        final long number;
        int served;
        int turnedAway;

        Second(long number) {
            this.number = number;
        }
    }

    /** Begins with no turn handed out. */
    @Inject
    public RetrySlots(@Ours Clock clock) {
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
            // All turns are given away, or somebody set the clock back.
            last = now + each;
        }
        long wait = (last - now + MILLION - 1) / MILLION;
        return Duration.ofSeconds(Math.max(LEAST.toSeconds(), wait));
    }

    private int rate(long now) {
        long present = now / MILLION;
        int most = 0;
        for (Second second : seconds) {
            // The present second is not over, so its count is too low.
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
