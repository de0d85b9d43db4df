// SPDX-License-Identifier: Apache-2.0
package io.muster.limit;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * The usual time of something on this node: 19 of 20 recent runs took no longer. Recent are those of the last
 * {@link #LATELY}, {@value #KEPT} at most. Thread-safe.
 */
public final class UsualTime {

    /** How many are kept. */
    public static final int KEPT = 64;

    /** How many recent runs are enough. */
    public static final int ENOUGH = 8;

    /** The age from which a measurement no longer counts: the load or the database was different then. */
    public static final Duration LATELY = Duration.ofMinutes(10);

    private final LongSupplier nanos;
    private final long[] took = new long[KEPT];
    private final long[] at = new long[KEPT];
    private int next;
    private int kept;

    /** Begins with nothing known. The clock must be monotonic. */
    public UsualTime(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** Adds a run. */
    public synchronized void add(long tookNanos) {
        took[next] = tookNanos;
        at[next] = nanos.getAsLong();
        next = (next + 1) % KEPT;
        kept = Math.min(kept + 1, KEPT);
    }

    /**
     * Returns the usual time in nanoseconds. If there were too few runs lately, returns at least what is presumed.
     *
     * @param presumed in nanoseconds
     */
    public synchronized long orPresumed(long presumed) {
        long now = nanos.getAsLong();
        long[] fresh = new long[kept];
        int count = 0;
        for (int i = 0; i < kept; i++) {
            if (now - at[i] <= LATELY.toNanos()) {
                fresh[count++] = took[i];
            }
        }
        if (count == 0) {
            return presumed;
        }
        Arrays.sort(fresh, 0, count);
        long usual = fresh[count - 1 - count / 20];
        return count >= ENOUGH ? usual : Math.max(usual, presumed);
    }
}
