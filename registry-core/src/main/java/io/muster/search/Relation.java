// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The attribute operators of RFC 7644. */
public enum Relation {
    /** Equal. */
    EQ,
    /** Not equal; so is an attribute that is missing. */
    NE,
    /** Contains. */
    CO,
    /** Starts with. */
    SW,
    /** Ends with. */
    EW,
    /** Present. */
    PR,
    /** Greater than. */
    GT,
    /** Greater than or equal. */
    GE,
    /** Less than. */
    LT,
    /** Less than or equal. */
    LE;

    /** Returns how a filter writes it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns the operator of a word in upper or lower case, or empty if there is none. */
    static Optional<Relation> of(String word) {
        return Stream.of(values())
                .filter(one -> one.word().equalsIgnoreCase(word))
                .findFirst();
    }

    /** Tells whether it compares parts of texts. */
    boolean isOfParts() {
        return this == CO || this == SW || this == EW;
    }

    /** Tells whether it needs an order. */
    boolean isOfOrder() {
        return this == GT || this == GE || this == LT || this == LE;
    }

    /**
     * Tells whether a value has this relation to another.
     *
     * @param value text, number, truth value or time; null if it is missing
     * @param other the same, never null but for {@link #PR}
     */
    boolean holds(Object value, Object other) {
        return switch (this) {
            case EQ -> isEqual(value, other);
            case NE -> !isEqual(value, other);
            case PR -> value != null && !value.equals("");
            case CO -> value instanceof String text && text.contains((String) other);
            case SW -> value instanceof String text && text.startsWith((String) other);
            case EW -> value instanceof String text && text.endsWith((String) other);
            case GT -> order(value, other).filter(order -> order > 0).isPresent();
            case GE -> order(value, other).filter(order -> order >= 0).isPresent();
            case LT -> order(value, other).filter(order -> order < 0).isPresent();
            case LE -> order(value, other).filter(order -> order <= 0).isPresent();
        };
    }

    private static boolean isEqual(Object value, Object other) {
        if (value instanceof Boolean) {
            return value.equals(other);
        }
        return order(value, other).filter(order -> order == 0).isPresent();
    }

    /** Compares two values of one type; empty if they are of two types, or have no order. */
    private static Optional<Integer> order(Object value, Object other) {
        if (value instanceof String text && other instanceof String second) {
            return Optional.of(order(text, second));
        }
        if (value instanceof Instant time && other instanceof Instant second) {
            return Optional.of(time.compareTo(second));
        }
        if (value instanceof Number number && other instanceof Number second) {
            return Optional.of(decimal(number).compareTo(decimal(second)));
        }
        return Optional.empty();
    }

    private static BigDecimal decimal(Number number) {
        return new BigDecimal(number.toString());
    }

    /** Compares texts by code points, as the database does. */
    static int order(String one, String other) {
        int length = Math.min(one.length(), other.length());
        for (int i = 0; i < length; i++) {
            char a = one.charAt(i);
            char b = other.charAt(i);
            if (a != b) {
                // Halves of surrogate pairs come after every other character.
                return Character.isSurrogate(a) == Character.isSurrogate(b)
                        ? Character.compare(a, b)
                        : Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b));
            }
        }
        return Integer.compare(one.length(), other.length());
    }
}
