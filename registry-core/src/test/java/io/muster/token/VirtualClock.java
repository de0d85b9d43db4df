// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;

/** A clock that a test sets, and others that are always ahead of it or behind it by the same time. */
final class VirtualClock extends Clock {

    private final AtomicReference<Instant> now;
    private final Duration ahead;

    VirtualClock(Instant now) {
        this(new AtomicReference<>(now), Duration.ZERO);
    }

    private VirtualClock(AtomicReference<Instant> now, Duration ahead) {
        this.now = now;
        this.ahead = ahead;
    }

    VirtualClock ahead(Duration by) {
        return new VirtualClock(now, by);
    }

    VirtualClock behind(Duration by) {
        return ahead(by.negated());
    }

    void pass(Duration time) {
        now.updateAndGet(before -> before.plus(time));
    }

    @Override
    public Instant instant() {
        return now.get().plus(ahead);
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
