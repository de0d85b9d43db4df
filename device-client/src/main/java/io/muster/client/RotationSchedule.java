// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Decides when to rotate the credential: at a random moment of the time that the registry gives. Asking is thread-safe.
 */
final class RotationSchedule {

    /** The part of the remaining time in which a rotation begins; the rest is for failures. */
    private static final double ROTATION_SPREAD = 0.9;

    private final Credentials credentials;
    private final Waiting waiting;
    private final RandomGenerator random;
    private volatile Optional<Deadline> due = Optional.empty();

    RotationSchedule(Credentials credentials, Waiting waiting, RandomGenerator random) {
        this.credentials = credentials;
        this.waiting = waiting;
        this.random = random;
    }

    boolean isDue() {
        Optional<Deadline> moment = due;
        return moment.isPresent() && moment.get().isOver();
    }

    /** Forgets the moment, until a token reply asks again. */
    void cancel() {
        due = Optional.empty();
    }

    /** Sets the moment of the rotation that a token reply asks for; none if it asks for none. */
    void follow(AccessToken token) {
        if (token.rotateBy().isEmpty()) {
            cancel();
            return;
        }
        Duration wait = token.date().isPresent()
                ? untilMoment(token.date().get(), token.rotateBy().get())
                : randomPart(token.lifetime()); // nothing to measure it against; soon is always right
        due = Optional.of(Deadline.after(Pace.max(Duration.ZERO, wait), waiting));
    }

    /** Returns the time until the moment, which is drawn once for each credential and written down. */
    private Duration untilMoment(Instant now, Instant rotateBy) {
        Optional<Instant> drawn = credentials.present().rotateAt();
        if (drawn.isPresent() && !drawn.get().isAfter(rotateBy)) {
            return Duration.between(now, drawn.get());
        }
        Duration wait = randomPart(Pace.max(Duration.ZERO, Duration.between(now, rotateBy)));
        credentials.rotateAt(now.plus(wait));
        return wait;
    }

    private Duration randomPart(Duration whole) {
        return Duration.ofSeconds((long) (random.nextDouble() * ROTATION_SPREAD * whole.toSeconds()));
    }
}
