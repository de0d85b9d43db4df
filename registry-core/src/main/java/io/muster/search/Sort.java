// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The order of a list.
 *
 * @param descending whether the last comes first
 */
public record Sort(Key key, boolean descending) {

    /** The orders of devices. */
    public enum Key {
        /** In the order of their ids, in which they registered. */
        REGISTERED("createdAt"),
        /** By serial. */
        SERIAL("serial"),
        /** By name, and among those of one name by serial. */
        NAME("name");

        private final String word;

        Key(String word) {
            this.word = word;
        }
    }

    /** The rule in words, for error messages. */
    public static final String WORDS = "createdAt, serial or name, for the reverse order with a - before it";

    /** Returns the order of a word, or empty if there is none. */
    public static Optional<Sort> of(String word) {
        boolean descending = word.startsWith("-");
        String key = descending ? word.substring(1) : word;
        return Stream.of(Key.values())
                .filter(one -> one.word.equals(key))
                .findFirst()
                .map(one -> new Sort(one, descending));
    }

    /** Returns the order in which the index has the devices, if it is one; else that of registration. */
    static Sort natural(List<Range> ranges) {
        return new Sort(ranges.size() == 1 ? ranges.get(0).order().orElse(Key.REGISTERED) : Key.REGISTERED, false);
    }
}
