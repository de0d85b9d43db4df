// SPDX-License-Identifier: Apache-2.0
package io.muster;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** A clock that stands at {@link TestRegistry#NOW} until a test moves it. */
public final class TestClock extends Clock {

    private volatile Instant now = TestRegistry.NOW;

    /** Moves on, or back. */
    public synchronized void pass(Duration time) {
        now = now.plus(time);
    }

    @Override
    public Instant instant() {
        return now;
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
