// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.Duration;

/** The end of something that began now, by the monotonic clock. */
final class Deadline {

    private final Waiting waiting;
    private final Duration limit;
    private final boolean patient;
    private final long start;

    private Deadline(Waiting waiting, Duration limit, boolean patient) {
        this.waiting = waiting;
        this.limit = limit;
        this.patient = patient;
        this.start = waiting.nanoTime();
    }

    static Deadline after(Duration limit, Waiting waiting) {
        return new Deadline(waiting, limit, true);
    }

    /** Returns one that leaves time for a single attempt and no wait. */
    static Deadline ofOneAttempt(Duration limit, Waiting waiting) {
        return new Deadline(waiting, limit, false);
    }

    Duration left() {
        return limit.minusNanos(waiting.nanoTime() - start);
    }

    boolean isOver() {
        return left().isNegative() || left().isZero();
    }

    /** Returns whether it leaves time for waiting and for further attempts. */
    boolean isPatient() {
        return patient;
    }

    Duration limit() {
        return limit;
    }
}
