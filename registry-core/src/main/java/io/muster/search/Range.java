// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.DeviceState;
import io.muster.device.DeviceTag;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A part of an index in which all devices are that a filter can match.
 *
 * @param index which index
 * @param first for a tag its key, else empty
 * @param text the text that the column is, or begins with
 * @param whole whether the column is the text
 */
record Range(Index index, String first, String text, boolean whole) {

    /** The indexes that a search can use. */
    enum Index {
        ID,
        SERIAL,
        NAME,
        TAG,
        ANY_TAG,
        STATE
    }

    /** From how many parts of indexes a search collects devices. */
    private static final int MOST = FilterParser.MAX_COMPARISONS;

    /** Eight digits at least: the first of all ids are the same for months. */
    private static final String PART_OF_ID = "[0-9a-f]{8,32}";

    /** Returns the order in which the index has its entries; empty if it is none that a list can have. */
    Optional<Sort.Key> order() {
        return switch (index) {
            case ID, STATE -> Optional.of(Sort.Key.REGISTERED);
            case SERIAL -> Optional.of(Sort.Key.SERIAL);
            case NAME -> Optional.of(Sort.Key.NAME);
            case TAG -> whole ? Optional.of(Sort.Key.REGISTERED) : Optional.empty();
            case ANY_TAG -> Optional.empty();
        };
    }

    /** Returns the parts of indexes in which everything is that the filter matches; none if it can be anywhere. */
    static List<Range> of(Expression filter) {
        if (filter instanceof Expression.And and) {
            return and.parts().stream()
                    .map(Range::of)
                    .filter(ranges -> !ranges.isEmpty())
                    .min(Comparator.comparingInt(Range::width))
                    .orElse(List.of());
        }
        if (filter instanceof Expression.Or or) {
            List<Range> all = new ArrayList<>();
            for (Expression part : or.parts()) {
                List<Range> ranges = of(part);
                if (ranges.isEmpty() || all.size() + ranges.size() > MOST) {
                    return List.of();
                }
                all.addAll(ranges);
            }
            return all.stream().distinct().toList();
        }
        return filter instanceof Expression.Comparison comparison
                ? of(comparison).map(List::of).orElse(List.of())
                : List.of();
    }

    private static Optional<Range> of(Expression.Comparison comparison) {
        boolean whole = comparison.relation() == Relation.EQ;
        if ((!whole && comparison.relation() != Relation.SW)
                || !(comparison.value() instanceof String text)
                || (!whole && text.isEmpty())) {
            return Optional.empty();
        }
        String field = comparison.field().name();
        return switch (field) {
            case DeviceFields.ID -> Optional.of(new Range(Index.ID, "", text, whole));
            case DeviceFields.SERIAL -> Optional.of(new Range(Index.SERIAL, "", text, whole));
            case DeviceFields.NAME -> Optional.of(new Range(Index.NAME, "", text, whole));
            case DeviceFields.STATE -> Optional.of(new Range(Index.STATE, "", text, whole));
            default -> DeviceFields.tag(field).map(key -> new Range(Index.TAG, key, text, whole));
        };
    }

    /** Returns where everything is that begins with what a person typed. */
    static List<Range> of(Typed typed) {
        List<Range> all = new ArrayList<>();
        typed.serials().forEach(serial -> all.add(new Range(Index.SERIAL, "", serial, false)));
        all.add(new Range(Index.NAME, "", typed.text(), false));
        if (typed.text().matches(PART_OF_ID)) {
            all.add(new Range(Index.ID, "", typed.text(), false));
        }
        all.add(new Range(Index.ANY_TAG, "", typed.text(), false));
        return all;
    }

    /** A guess which of several holds the fewest devices: an order, not a number. */
    private static int width(List<Range> ranges) {
        return ranges.stream().mapToInt(Range::width).max().orElse(0);
    }

    private int width() {
        return switch (index) {
            case ID -> whole ? 0 : 6;
            case SERIAL -> whole ? 0 : 5;
            case NAME -> whole ? 1 : 6;
            case TAG -> {
                if (!whole) {
                    yield 7;
                }
                yield first.equals(DeviceTag.OWNER) || first.equals(DeviceTag.GROUP)
                        ? 2
                        : first.equals(DeviceTag.LOT) ? 4 : 3;
            }
            case ANY_TAG -> 8;
            case STATE -> text.equals(DeviceState.ACTIVE.word()) ? 10 : 9;
        };
    }
}
