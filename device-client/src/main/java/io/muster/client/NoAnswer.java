package io.muster.client;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;

/** The registry replied, but not with an answer: to be asked again. */
final class NoAnswer extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final Duration retryAfter;

    NoAnswer(String message) {
        this(message, Duration.ZERO);
    }

    NoAnswer(String message, Duration retryAfter) {
        super(message);
        this.retryAfter = retryAfter;
    }

    /** Returns how long the registry wants to be left alone; zero if it did not say. */
    Duration retryAfter() {
        return retryAfter;
    }
}
