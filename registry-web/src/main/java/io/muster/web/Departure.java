// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Tells when the thread that brought a request has left the servlet container of Payara or GlassFish. An
 * {@code AsyncContext} that is dispatched earlier may be dispatched twice, or never: its implementation keeps the
 * dispatch in a field that two threads read and clear without a lock. Thread-safe.
 */
final class Departure {

    private static final String CONTAINER = "org.apache.catalina.connector.CoyoteAdapter";

    /** The number of requests that this thread has brought. A class of the JDK, which holds no class loader of ours. */
    private static final ThreadLocal<AtomicLong> BROUGHT = ThreadLocal.withInitial(AtomicLong::new);

    private final Thread thread = Thread.currentThread();
    private final AtomicLong brought = BROUGHT.get();
    private final long request = brought.get();

    /** Creates it for the request that this thread brings now. */
    Departure() {}

    /** Notes that this thread brings another request. */
    static void arrive() {
        BROUGHT.get().incrementAndGet();
    }

    /** Tells whether the thread has left, and can no longer run any code of the container for the request. */
    boolean isOver() {
        return thread != Thread.currentThread() && (brought.get() != request || !isInContainer());
    }

    private boolean isInContainer() {
        return Arrays.stream(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(CONTAINER));
    }
}
