// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Decides when the next attempt may be made. Remembers failures between calls. So a caller that loops around a call
 * that gave up is no faster than one that waits inside it. Not thread-safe; {@link Patience} guards it.
 */
final class Pace {

    static final Duration BASE = Duration.ofSeconds(1);
    static final Duration CAP = Duration.ofMinutes(5);

    /** Longer than the life of a device, and small enough that two of them add up without overflow. */
    static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE / 4);

    /** After so many doublings, BASE exceeds CAP. */
    private static final int ENOUGH_DOUBLINGS = 20;

    private final Waiting waiting;
    private final RandomGenerator random;
    private int failures;
    private long notBefore;

    Pace(Waiting waiting, RandomGenerator random, Duration initialSpread) {
        this.waiting = waiting;
        this.random = random;
        this.notBefore = waiting.nanoTime() + part(initialSpread).toNanos();
    }

    /** Returns how long to wait from now; zero if the turn has come. */
    Duration untilTurn() {
        return Duration.ofNanos(Math.max(0, notBefore - waiting.nanoTime()));
    }

    /** Starts over: the registry answered. */
    void succeeded() {
        failures = 0;
        notBefore = waiting.nanoTime();
    }

    /**
     * Sets the next turn: full jitter below a doubled and capped ceiling, after the wait that the registry asked for,
     * or zero.
     */
    void failed(Duration serverSaid) {
        Duration ceiling = min(CAP, BASE.multipliedBy(1L << Math.min(failures, ENOUGH_DOUBLINGS)));
        failures++;
        Duration least = min(FOR_EVER, serverSaid);
        // All devices that were refused in one second were told the same wait. Half of it in addition keeps them apart.
        Duration spread = max(ceiling, min(CAP, least.dividedBy(2)));
        notBefore = waiting.nanoTime() + least.plus(part(spread)).toNanos();
    }

    private Duration part(Duration whole) {
        return Duration.ofNanos((long) (random.nextDouble() * whole.toNanos()));
    }

    static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    static Duration max(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }
}
