package io.muster.client;

import java.time.Duration;

/** When something that began now has to end, by the monotonic ticker. */
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

    /** One that leaves time for a single attempt and no wait. */
    static Deadline ofOneAttempt(Duration limit, Waiting waiting) {
        return new Deadline(waiting, limit, false);
    }

    Duration left() {
        return limit.minusNanos(waiting.nanoTime() - start);
    }

    boolean isOver() {
        return left().isNegative() || left().isZero();
    }

    /** Returns whether there may be a wait before the next attempt, and a second one after a first. */
    boolean isPatient() {
        return patient;
    }

    Duration limit() {
        return limit;
    }
}
