// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/** Limits repeated records: of each kind the first is due, and then one a minute. Thread-safe. */
final class RareRecords {

    private static final long QUIET_NANOS = 60_000_000_000L;
    private static final int MOST_KINDS = 1000;

    private final LongSupplier nanoTime;
    private final Map<String, Quiet> quiets = new HashMap<>();

    /** The minute after a record. */
    private static final class Quiet {
        long since;
        long leftOut;
    }

    /** Uses a monotonic clock. */
    RareRecords(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Returns how many of the kind were left out before this one, or -1 if this one is to be left out too. */
    synchronized long leftOut(String kind) {
        long now = nanoTime.getAsLong();
        if (quiets.size() >= MOST_KINDS) {
            quiets.values().removeIf(quiet -> now - quiet.since >= QUIET_NANOS);
        }
        // Kinds beyond the limit share one.
        String counted = quiets.size() < MOST_KINDS || quiets.containsKey(kind) ? kind : "";
        Quiet quiet = quiets.get(counted);
        if (quiet != null && now - quiet.since < QUIET_NANOS) {
            quiet.leftOut++;
            return -1;
        }
        long leftOut = quiet == null ? 0 : quiet.leftOut;
        Quiet next = quiet == null ? new Quiet() : quiet;
        next.since = now;
        next.leftOut = 0;
        quiets.put(counted, next);
        return leftOut;
    }
}
