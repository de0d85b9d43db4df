// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.util.List;

/**
 * An attribute that a filter can name.
 *
 * @param name as its list shows it, such as {@code serial} or {@code tags.colour}
 * @param words the only texts that it has, or empty for any
 */
public record Field(String name, Kind kind, List<String> words) {

    /** The types of values. */
    public enum Kind {
        /** A text. */
        TEXT,
        /** One of some words. */
        WORD,
        /** 32 hex digits, or the first of them. */
        ID,
        /** A time. */
        TIME,
        /** A text, a number or a truth value. */
        ANY
    }

    /** Makes one with any value of its kind. */
    static Field of(String name, Kind kind) {
        return new Field(name, kind, List.of());
    }
}
