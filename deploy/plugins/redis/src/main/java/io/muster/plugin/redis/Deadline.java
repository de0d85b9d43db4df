// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * The time by which the question of this thread must be answered. It is one for everything: waiting for a connection,
 * connecting, TLS, authentication, the answer. Separate time limits would have no bounded sum.
 */
final class Deadline {

    private static final ThreadLocal<Deadline> CURRENT = new ThreadLocal<>();

    private final long end;

    private Deadline(Duration limit) {
        this.end = System.nanoTime() + limit.toNanos();
    }

    static Deadline begin(Duration limit) {
        Deadline deadline = new Deadline(limit);
        CURRENT.set(deadline);
        return deadline;
    }

    static void end() {
        CURRENT.remove();
    }

    Duration left() {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    /** Returns the milliseconds that the thread has left, at least 1; a thread without a deadline has next to none. */
    static int millisLeft() throws SocketTimeoutException {
        Deadline deadline = CURRENT.get();
        if (deadline == null) {
            return 1;
        }
        Duration left = deadline.left();
        if (left.isZero()) {
            throw new SocketTimeoutException("the time limit is over");
        }
        return (int) Math.max(1, left.toMillis());
    }
}
