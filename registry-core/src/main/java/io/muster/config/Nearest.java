// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.IntStream;

/** Finds the known name that somebody may have meant who wrote an unknown one. */
public final class Nearest {

    /** Bounds the time for a name that a stranger wrote. */
    private static final int MAX_LENGTH = 256;

    private Nearest() {}

    /** Returns the known name that is most similar to the written one, or empty if none is similar. */
    public static Optional<String> of(String written, Collection<String> known) {
        if (written.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        return known.stream()
                .min(Comparator.comparingInt(name -> distance(written, name)))
                .filter(name -> distance(written, name) <= Math.max(3, written.length() / 4));
    }

    /** Returns a question about the most similar known name, to append to a fault; empty if none is similar. */
    public static String question(String written, Collection<String> known) {
        return of(written, known).map(name -> "; did you mean " + name + "?").orElse("");
    }

    /**
     * Returns how many letters must be added, removed or changed to turn one into the other (Levenshtein), row by row
     * of the usual table.
     */
    private static int distance(String from, String to) {
        int[] above = IntStream.rangeClosed(0, to.length()).toArray();
        for (int i = 1; i <= from.length(); i++) {
            int[] row = new int[to.length() + 1];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = above[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(changed, 1 + Math.min(above[j], row[j - 1]));
            }
            above = row;
        }
        return above[to.length()];
    }
}
