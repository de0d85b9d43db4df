// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.Device;
import io.muster.persistence.Ids;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.Optional;

/**
 * A device as indexes have it, and its place in an order.
 *
 * @param name its name; its serial if it was given none
 */
record Entry(byte[] id, String name, String serial) {

    private static final String BY_SERIAL = "s.";
    private static final String BY_NAME = "n.";
    // Neither names nor serials have control characters.
    private static final String BETWEEN = "\n";

    static Entry of(Device device) {
        return new Entry(device.idBytes(), device.name(), device.serial().value());
    }

    /** Compares the places of entries in an order. */
    static Comparator<Entry> comparing(Sort sort) {
        Comparator<Entry> bySerial = (one, other) -> Relation.order(one.serial, other.serial);
        Comparator<Entry> order =
                switch (sort.key()) {
                    case REGISTERED -> (one, other) -> Arrays.compareUnsigned(one.id, other.id);
                    case SERIAL -> bySerial;
                    case NAME ->
                        ((Comparator<Entry>) (one, other) -> Relation.order(one.name, other.name))
                                .thenComparing(bySerial);
                };
        return sort.descending() ? order.reversed() : order;
    }

    /** Returns the cursor that stands for this place. */
    String cursor(Sort.Key key) {
        return switch (key) {
            case REGISTERED -> Ids.hex(id);
            case SERIAL -> BY_SERIAL + encoded(serial);
            case NAME -> BY_NAME + encoded(name + BETWEEN + serial);
        };
    }

    /** Returns the place of a cursor; empty if it is no cursor of this order. */
    static Optional<Entry> of(String cursor, Sort.Key key) {
        return switch (key) {
            case REGISTERED ->
                Optional.of(cursor)
                        .filter(text -> text.matches("[0-9a-f]{32}"))
                        .map(text -> new Entry(Ids.bytes(text), "", ""));
            case SERIAL -> decoded(cursor, BY_SERIAL).map(text -> new Entry(new byte[0], "", text));
            case NAME ->
                decoded(cursor, BY_NAME)
                        .map(text -> text.split(BETWEEN, 2))
                        .filter(parts -> parts.length == 2)
                        .map(parts -> new Entry(new byte[0], parts[0], parts[1]));
        };
    }

    private static String encoded(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Optional<String> decoded(String cursor, String prefix) {
        if (!cursor.startsWith(prefix) || cursor.length() > 2000) {
            return Optional.empty();
        }
        try {
            return Optional.of(new String(
                    Base64.getUrlDecoder().decode(cursor.substring(prefix.length())), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
