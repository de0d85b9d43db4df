package io.muster.verification;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An IEEE identifier of 48 or 64 bits, which a MAC address is.
 *
 * @param hex its 12 or 16 lower-case hex digits
 */
record PatternEui(String hex) {

    // Each alternative is of fixed length. A text is not folded elsewhere: spellings of one address are different
    // serials.
    private static final Pattern SPELLINGS = Pattern.compile("[0-9A-Fa-f]{12}([0-9A-Fa-f]{4})?"
            + "|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}((:[0-9A-Fa-f]{2}){2})?"
            + "|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}((-[0-9A-Fa-f]{2}){2})?"
            + "|[0-9A-Fa-f]{4}(\\.[0-9A-Fa-f]{4}){2}(\\.[0-9A-Fa-f]{4})?");
    private static final int GROUP = 1;
    private static final int LOCAL = 2;

    /** Reads the usual spellings: pairs with colons or hyphens, fours with dots, or bare; either case. */
    static Optional<PatternEui> parse(String text) {
        return SPELLINGS.matcher(text).matches()
                ? Optional.of(new PatternEui(text.replaceAll("[:.-]", "").toLowerCase(Locale.ROOT)))
                : Optional.empty();
    }

    /** Tells whether it addresses a group, which no device can be; all ones are among them. */
    boolean isGroup() {
        return (first() & GROUP) != 0;
    }

    /** Tells whether somebody made it up, as containers and telephones do, instead of being assigned it by a manufacturer. */
    boolean isLocal() {
        return (first() & LOCAL) != 0;
    }

    private int first() {
        return Integer.parseInt(hex.substring(0, 2), 16);
    }
}
