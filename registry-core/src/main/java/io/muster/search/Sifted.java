// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A page of the entries of a list that match a filter.
 *
 * @param next where the next page begins; empty if there is none
 * @param complete false if the page ended because it had read as many rows as it may
 */
public record Sifted<T>(List<T> entries, Optional<String> next, boolean complete) {

    private static final int STEP = 1000;

    /** A list without a filter. */
    @FunctionalInterface
    interface Source<T> {
        /** Reads at most so many entries after a cursor; fewer only at the end. */
        List<T> read(Optional<String> after, int atMost);
    }

    /**
     * A list.
     *
     * @param rows how many rows the database reads for one entry
     * @param least how many entries it reads at once, even if fewer are requested
     * @param cursor the cursor behind an entry
     */
    record Origin<T>(Source<T> source, int rows, int least, Function<T, String> cursor) {}

    /**
     * Reads a page.
     *
     * @param end no entry from the first for which this holds is read
     */
    static <T> Sifted<T> page(
            Origin<T> origin, Predicate<T> filter, Predicate<T> end, Optional<String> after, int atMost) {
        List<T> found = new ArrayList<>();
        Optional<String> last = after;
        int left = DeviceSearch.MAX_READ;
        int step = Math.max(atMost, origin.least());
        while (step >= origin.least()) {
            List<T> some = origin.source().read(last, step);
            for (T entry : some) {
                if (end.test(entry)) {
                    return new Sifted<>(found, Optional.empty(), true);
                }
                last = Optional.of(origin.cursor().apply(entry));
                if (filter.test(entry)) {
                    found.add(entry);
                    if (found.size() == atMost) {
                        return new Sifted<>(found, last, true);
                    }
                }
            }
            if (some.size() < step) {
                return new Sifted<>(found, Optional.empty(), true);
            }
            left -= (some.size() + 1) * origin.rows();
            step = Math.min(Math.max(atMost, STEP), left / origin.rows() - 1);
        }
        return new Sifted<>(found, last, false);
    }
}
