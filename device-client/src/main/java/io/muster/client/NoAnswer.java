// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;

/** The registry replied, but not with an answer: retry. */
final class NoAnswer extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final Duration retryAfter;
    private final boolean pending;

    NoAnswer(String message) {
        this(message, Duration.ZERO, false);
    }

    NoAnswer(String message, Duration retryAfter, boolean pending) {
        super(message);
        this.pending = pending;
        this.retryAfter = retryAfter;
    }

    /** Returns how long the registry wants no request; zero if it did not say. */
    Duration retryAfter() {
        return retryAfter;
    }

    /** Tells whether the registry has not decided yet, which is no failure. */
    boolean isPending() {
        return pending;
    }
}
