// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An IEEE identifier of 48 or 64 bits, such as a MAC address.
 *
 * @param hex its 12 or 16 lower-case hex digits
 */
public record Eui(String hex) {

    // Each alternative has a fixed length. Different spellings of one address are different serials, unless the fleet
    // says otherwise.
    private static final Pattern SPELLINGS = Pattern.compile("[0-9A-Fa-f]{12}([0-9A-Fa-f]{4})?"
            + "|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}((:[0-9A-Fa-f]{2}){2})?"
            + "|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}((-[0-9A-Fa-f]{2}){2})?"
            + "|[0-9A-Fa-f]{4}(\\.[0-9A-Fa-f]{4}){2}(\\.[0-9A-Fa-f]{4})?");
    private static final int GROUP = 1;
    private static final int LOCAL = 2;

    /** Reads the usual spellings: pairs with colons or hyphens, fours with dots, or bare; either case. */
    public static Optional<Eui> parse(String text) {
        return SPELLINGS.matcher(text).matches()
                ? Optional.of(new Eui(text.replaceAll("[:.-]", "").toLowerCase(Locale.ROOT)))
                : Optional.empty();
    }

    /** Tells whether it is a group address, which no device can have; the address of all ones is one. */
    public boolean isGroup() {
        return (first() & GROUP) != 0;
    }

    /**
     * Tells whether it is locally administered, as those of containers and telephones are, and not assigned by a
     * manufacturer.
     */
    public boolean isLocal() {
        return (first() & LOCAL) != 0;
    }

    private int first() {
        return Integer.parseInt(hex.substring(0, 2), 16);
    }
}
