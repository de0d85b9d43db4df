// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * A fleet that gets its power back in one second, in virtual time. It has one of the client's real {@link Pace}s for
 * each device. Its registry serves a fixed number of requests a second, keeps one second's worth of them waiting and
 * turns the rest away.
 */
final class Herd {

    /** How a registry handles requests that it has no room for. */
    enum Overload {
        /**
         * 503 at once, and a {@code Retry-After} that hands out turns by the registry's own rule,
         * {@code io.muster.limit.RetrySlots} of registry-core, which this module cannot see. The rate is that of its best
         * second among the last ten in which it turned requests away too, or 1,000 a second before it knows. The
         * shortest wait is 5 seconds.
         */
        RETRY_AFTER_IN_TURN,
        /** 503 at once, with {@code Retry-After: 1} for everybody. */
        RETRY_AFTER_ONE,
        /** 503 at once, and not a word of when to come again. */
        BUSY,
        /** No reply: the client hangs up after its 10 seconds. */
        SILENCE
    }

    /**
     * The observations.
     *
     * @param peakAfterAMinute most arrivals in ten seconds that began after the first 60, as a multiple of the capacity
     * @param allBack seconds until the last device had its token
     * @param ideal seconds that the registry needs if it is never idle
     * @param requestsPerSuccess how often the average device asked
     * @param median seconds until half of the devices had theirs
     */
    record Report(double peakAfterAMinute, double allBack, double ideal, double requestsPerSuccess, double median) {

        @Override
        public String toString() {
            return String.format(
                    "all back after %.0f s (%.2f x ideal), median %.0f s, %.2f requests per success,"
                            + " arrivals after the first minute at most %.2f x capacity",
                    allBack, allBack / ideal, median, requestsPerSuccess, peakAfterAMinute);
        }
    }

    private static final long SECOND = 1_000_000_000L;
    private static final int ID_BITS = 17;
    private static final int TICKS_IN_A_SECOND = 10_000;
    private static final int WINDOW = 10;

    private final int capacity;
    private final Overload overload;
    private final Pace[] paces;
    private final double[] back;
    private final PriorityQueue<Long> turns = new PriorityQueue<>(); // ticks, then the device's number
    private final int[] arrivals = new int[36_000];
    private long now;
    private final int[] served = new int[36_000];
    private final int[] turnedAway = new int[36_000];
    private double promised; // to those that were turned away, in seconds
    private double free; // when the registry has served all that it took, in seconds

    private final Waiting time = new Waiting() {
        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public Instant deviceTime() {
            return Instant.EPOCH;
        }

        @Override
        public void sleep(Duration duration) {
            throw new UnsupportedOperationException("here the time passes by events");
        }
    };

    Herd(int devices, int capacity, Overload overload, Duration initialSpread, RandomGenerator jitter) {
        this.capacity = capacity;
        this.overload = overload;
        this.paces = new Pace[devices];
        this.back = new double[devices];
        for (int i = 0; i < devices; i++) {
            paces[i] = new Pace(time, jitter, initialSpread);
        }
    }

    Report run() {
        SplittableRandom boot = new SplittableRandom(2);
        for (int i = 0; i < paces.length; i++) {
            // No two machines boot in the same time: within one second here, which is little.
            schedule(i, boot.nextLong(SECOND) + paces[i].untilTurn().toNanos());
        }
        int waiting = paces.length;
        int requests = 0;
        while (waiting > 0) {
            long turn = turns.remove();
            int device = (int) (turn & (1 << ID_BITS) - 1);
            now = (turn >>> ID_BITS) * (SECOND / TICKS_IN_A_SECOND);
            if (back[device] < 0) { // what it heard of its last attempt, or that it heard nothing
                back[device] = 0;
                paces[device].failed(Duration.ZERO);
                schedule(device, now + paces[device].untilTurn().toNanos());
                continue;
            }
            requests++;
            double seconds = now / (double) SECOND;
            arrivals[(int) seconds]++;
            if (free - seconds < 1) {
                free = Math.max(free, seconds) + 1.0 / capacity;
                back[device] = free;
                served[(int) free]++;
                waiting--;
            } else {
                turnAway(device);
            }
        }
        return report(requests);
    }

    private void turnAway(int device) {
        if (overload == Overload.SILENCE) {
            back[device] = -1;
            schedule(device, now + Transport.CONNECT_TIMEOUT.toNanos());
            return;
        }
        Duration retryAfter =
                switch (overload) {
                    case RETRY_AFTER_IN_TURN -> inTurn();
                    case RETRY_AFTER_ONE -> Duration.ofSeconds(1);
                    default -> Duration.ZERO;
                };
        paces[device].failed(retryAfter);
        schedule(device, now + paces[device].untilTurn().toNanos());
    }

    private Duration inTurn() {
        double seconds = now / (double) SECOND;
        int present = (int) seconds;
        turnedAway[present]++;
        int most = 0;
        for (int second = Math.max(0, present - 10); second < present; second++) {
            most = turnedAway[second] > 0 ? Math.max(most, served[second]) : most;
        }
        double each = 1.0 / (most == 0 ? 1_000 : Math.max(100, most));
        promised = Math.max(promised, seconds) + each;
        promised = promised > seconds + 600 ? seconds + each : promised;
        return Duration.ofSeconds((long) Math.max(5, Math.ceil(promised - seconds)));
    }

    private void schedule(int device, long at) {
        turns.add((at / (SECOND / TICKS_IN_A_SECOND)) << ID_BITS | device);
    }

    private Report report(int requests) {
        double[] sorted = back.clone();
        Arrays.sort(sorted);
        int peak = 0;
        for (int from = 60; from + WINDOW < arrivals.length; from++) {
            int sum = 0;
            for (int i = from; i < from + WINDOW; i++) {
                sum += arrivals[i];
            }
            peak = Math.max(peak, sum);
        }
        return new Report(
                peak / (double) WINDOW / capacity,
                sorted[sorted.length - 1],
                paces.length / (double) capacity,
                requests / (double) paces.length,
                sorted[sorted.length / 2]);
    }

    /** Prints the figures of docs/device-client.md. */
    public static void main(String[] args) {
        int devices = args.length > 0 ? Integer.parseInt(args[0]) : 100_000;
        int capacity = devices / 100;
        for (Overload overload : Overload.values()) {
            for (Duration spread : new Duration[] {Duration.ZERO, Duration.ofSeconds(60), Duration.ofSeconds(120)}) {
                System.out.println(overload + ", jitter, initialSpread " + spread + ": "
                        + new Herd(devices, capacity, overload, spread, new SplittableRandom(3)).run());
            }
            System.out.println(
                    overload + ", no jitter: " + new Herd(devices, capacity, overload, Duration.ZERO, () -> -1L).run());
        }
    }
}
