package io.muster.client;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** Everything the client knows of time: a monotonic ticker and a way to let it pass. Tests have one that never sleeps. */
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

    /** Returns a time of which only differences mean something, as {@link System#nanoTime()}. */
    long nanoTime();

    /** Returns what the device takes for the time. It may be any: nothing but a first guess is made of it. */
    Instant deviceTime();

    /** Returns after at least the duration; at once if it is zero. */
    void sleep(Duration duration) throws InterruptedException;
}
