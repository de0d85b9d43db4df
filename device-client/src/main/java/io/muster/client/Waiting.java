// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * All time that the client knows: a monotonic clock, and a way to wait. Tests have an implementation that never sleeps.
 */
interface Waiting {

    /** The real one. */
    Waiting REAL = new Waiting() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public Instant deviceTime() {
            return Instant.now();
        }

        @Override
        public void sleep(Duration duration) throws InterruptedException {
            TimeUnit.NANOSECONDS.sleep(duration.toNanos());
        }
    };

    /** Returns a time of which only differences have a meaning, as {@link System#nanoTime()}. */
    long nanoTime();

    /** Returns the time of the device's clock, which may be wrong. It serves only as a first guess. */
    Instant deviceTime();

    /** Returns after at least the duration; at once if it is zero. */
    void sleep(Duration duration) throws InterruptedException;
}
