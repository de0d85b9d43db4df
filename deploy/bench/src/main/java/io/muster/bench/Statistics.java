// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.util.Arrays;
import java.util.List;

/** The arithmetic of the report. */
final class Statistics {

    private Statistics() {}

    /**
     * Returns a percentile by the nearest rank: the smallest value which is at least as large as that share of the
     * values.
     *
     * @param sorted in ascending order
     * @param percent above 0, at most 100
     * @return zero if there are no values
     */
    static long percentile(long[] sorted, double percent) {
        if (percent <= 0 || percent > 100) {
            throw new IllegalArgumentException("not a percentage: " + percent);
        }
        if (sorted.length == 0) {
            return 0;
        }
        int rank = (int) Math.ceil(percent / 100 * sorted.length);
        return sorted[Math.max(rank, 1) - 1];
    }

    /** Returns how many of them happen in a second. */
    static double perSecond(long count, long nanos) {
        return nanos <= 0 ? 0 : count * 1e9 / nanos;
    }

    /** Returns a share, or zero of nothing. */
    static double ratio(double part, double whole) {
        return whole == 0 ? 0 : part / whole;
    }

    /**
     * Returns the median: the middle value, the mean of the two middle ones if their number is even, or zero of none.
     */
    static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return 0;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Returns all values in ascending order. */
    static long[] sorted(List<long[]> parts) {
        long[] all = parts.stream().flatMapToLong(Arrays::stream).toArray();
        Arrays.sort(all);
        return all;
    }
}
