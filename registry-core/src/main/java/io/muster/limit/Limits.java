// SPDX-License-Identifier: Apache-2.0
package io.muster.limit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;

/**
 * Limits how often a client may be refused within any window of this length. Counts refusals, not requests: a client
 * that is admitted may come as fast as it can. Each node counts by itself. Thread-safe.
 *
 * <p>The window is a number of slices. A refusal counts until the window has passed since the end of its slice. So a
 * client waits up to a sixtieth longer than the window, and never less.
 */
public final class Limits {

    private static final int STRANGERS = 100_000;
    private static final int LONGEST_NAME = 200;
    private static final int SLICES = 60;

    private final Cache<String, Counts> byStranger;
    private final int refusals;
    private final long sliceMillis;
    private final Clock clock;

    /**
     * Begins to count.
     *
     * @param refusals within the window at most
     */
    public Limits(int refusals, Duration window, Clock clock) {
        this.refusals = refusals;
        this.sliceMillis = Math.max(1, (window.toMillis() + SLICES - 1) / SLICES);
        this.byStranger = Caffeine.newBuilder().maximumSize(STRANGERS).build();
        this.clock = clock;
    }

    /** The refusals of one client, by slice: those of the present slice, and of as many before as a window has. */
    private static final class Counts {

        private final int[] inSlice = new int[SLICES + 1];
        private long present;

        private void goTo(long slice) {
            // If the clock was set back by a window or more, counting starts over.
            if (slice > present + SLICES || slice < present - SLICES) {
                Arrays.fill(inSlice, 0);
                present = slice;
            }
            while (present < slice) {
                inSlice[Math.floorMod(++present, inSlice.length)] = 0;
            }
        }

        private int all() {
            int all = 0;
            for (int one : inSlice) {
                all += one;
            }
            return all;
        }

        /** Counts one more if that is within the limit; returns whether it was. */
        synchronized boolean count(long slice, int most) {
            goTo(slice);
            if (all() >= most) {
                return false;
            }
            inSlice[Math.floorMod(present, inSlice.length)]++;
            return true;
        }

        synchronized void uncount(long slice) {
            // An attempt from before the window is not counted any more.
            if (slice <= present && slice >= present - SLICES) {
                int at = Math.floorMod(slice, inSlice.length);
                inSlice[at] = Math.max(0, inSlice[at] - 1);
            }
        }

        /** Returns the first slice with room for another refusal: the given one if there is room now. */
        synchronized long room(long slice, int most) {
            goTo(slice);
            int all = all();
            if (all < most) {
                return slice;
            }
            long oldest = present - SLICES;
            while (all >= most) {
                all -= inSlice[Math.floorMod(oldest++, inSlice.length)];
            }
            return oldest + SLICES;
        }
    }

    /**
     * Checks whether a client was refused too often.
     *
     * @throws RegistryException {@code TOO_MANY_REQUESTS} if it was
     */
    public void check(String stranger) {
        String name = name(stranger);
        Counts counts = byStranger.getIfPresent(name);
        if (counts != null) {
            long now = clock.millis();
            long slice = now / sliceMillis;
            long room = counts.room(slice, refusals);
            if (room > slice) {
                throw tooMany(name, room * sliceMillis - now);
            }
        }
    }

    /**
     * Counts a refusal.
     *
     * @throws RegistryException {@code TOO_MANY_REQUESTS} if it exceeds the limit, as it may when several requests run
     *     at once
     */
    public void count(String stranger) {
        attempt(stranger);
    }

    /** Something that counts as a refusal until it is known to be none. Thread-safe. */
    public static final class Attempt {

        private final Counts counts;
        private final long slice;

        private Attempt(Counts counts, long slice) {
            this.counts = counts;
            this.slice = slice;
        }

        /** It was not refused after all, so it does not count. Call it once at most. */
        public void takeBack() {
            counts.uncount(slice);
        }
    }

    /**
     * Counts a refusal before it is decided whether it is one. So attempts at the same time cannot exceed the limit.
     *
     * @throws RegistryException {@code TOO_MANY_REQUESTS} if there were too many, those that are under way among them
     */
    public Attempt attempt(String stranger) {
        String name = name(stranger);
        Counts counts = byStranger.get(name, who -> new Counts());
        long now = clock.millis();
        long slice = now / sliceMillis;
        if (!counts.count(slice, refusals)) {
            throw tooMany(name, counts.room(slice, refusals) * sliceMillis - now);
        }
        return new Attempt(counts, slice);
    }

    private static RegistryException tooMany(String name, long waitMillis) {
        return RegistryException.later(
                ProblemType.TOO_MANY_REQUESTS,
                "too many refusals for " + name,
                Duration.ofMillis(Math.max(1, waitMillis)));
    }

    // Bounds the memory of each name; their number is bounded too.
    private static String name(String stranger) {
        return stranger.length() <= LONGEST_NAME ? stranger : stranger.substring(0, LONGEST_NAME);
    }
}
