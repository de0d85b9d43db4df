// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A monotonic clock that moves when told to, or when a thread sleeps; sleeping takes no time. Begins just before a
 * wrap-around.
 */
final class FakeTime implements Waiting {

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
    private final List<Duration> sleeps = new CopyOnWriteArrayList<>();
    private volatile Instant deviceTime = Instant.EPOCH;

    @Override
    public long nanoTime() {
        return now.get();
    }

    @Override
    public Instant deviceTime() {
        return deviceTime;
    }

    @Override
    public void sleep(Duration duration) {
        if (!duration.isZero()) {
            sleeps.add(duration);
            now.addAndGet(duration.toNanos());
        }
    }

    void pass(Duration duration) {
        now.addAndGet(duration.toNanos());
    }

    void deviceThinksItIs(Instant time) {
        deviceTime = time;
    }

    List<Duration> sleeps() {
        return sleeps;
    }
}
