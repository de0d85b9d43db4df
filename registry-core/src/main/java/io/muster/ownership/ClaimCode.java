// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * A code by which a user claims a device. Codes of the registry are symbols of Crockford's base 32 and one check symbol
 * of its modulo 37, so that a mistyped code is an error and not a guess. Codes that a factory printed may be any letters
 * and digits. All are read without regard to case, blanks and hyphens, O and 0, or I, L and 1. Immutable. The text is a
 * secret: {@link #toString} hides it.
 */
public final class ClaimCode {

    /** The rule for codes in words, for messages. */
    public static final String SYNTAX = "4 to 64 letters and digits, perhaps with hyphens and blanks between them";

    /** The fault of a code whose check symbol does not fit the others. */
    public static final String MISTYPED = "is mistyped: its last symbol does not fit the others";

    private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final String CHECKS = ALPHABET + "*~$=U";

    /** The symbols of a code for labels: 100 random bits. */
    private static final int LONG = 20;

    /** The symbols of a code for a display, which is good for ten minutes: 40 random bits. */
    private static final int SHORT = 8;

    private static final int LEAST = 4;
    private static final int MOST = 64;
    private static final int LONGEST_TEXT = 200;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String symbols;

    private ClaimCode(String symbols) {
        this.symbols = symbols;
    }

    /** Makes a code for a label, {@code XXXXX-XXXXX-XXXXX-XXXXX-C}. */
    public static ClaimCode make() {
        return make(LONG);
    }

    /** Makes a short code for a display, {@code XXXX-XXXX-C}. */
    public static ClaimCode makeShort() {
        return make(SHORT);
    }

    private static ClaimCode make(int length) {
        while (true) {
            StringBuilder symbols = new StringBuilder(length + 1);
            for (int i = 0; i < length; i++) {
                symbols.append(ALPHABET.charAt(RANDOM.nextInt(ALPHABET.length())));
            }
            char check = check(symbols);
            // A letter or digit, so that QR codes use their smaller mode; and no U, which people take for V.
            if (ALPHABET.indexOf(check) >= 0) {
                return new ClaimCode(symbols.append(check).toString());
            }
        }
    }

    /** Returns the check symbol of a number in base 32. */
    private static char check(CharSequence symbols) {
        int remainder = 0;
        for (int i = 0; i < symbols.length(); i++) {
            remainder = (remainder * ALPHABET.length() + ALPHABET.indexOf(symbols.charAt(i))) % CHECKS.length();
        }
        return CHECKS.charAt(remainder);
    }

    /** Returns what is wrong with a text, which is not repeated; empty if it is a code. */
    public static Optional<String> fault(String text) {
        Optional<String> symbols = symbols(text);
        if (symbols.isEmpty()) {
            return Optional.of("must be " + SYNTAX);
        }
        return isLikeOurs(symbols.get()) && !fits(symbols.get()) ? Optional.of(MISTYPED) : Optional.empty();
    }

    /**
     * Reads a code.
     *
     * @return empty if the text has a {@link #fault}
     */
    public static Optional<ClaimCode> of(String text) {
        return fault(text).isPresent() ? Optional.empty() : symbols(text).map(ClaimCode::new);
    }

    /** Returns the letters and digits of a text in their one spelling; empty if it has others or the wrong number. */
    private static Optional<String> symbols(String text) {
        if (text == null || text.length() > LONGEST_TEXT) {
            return Optional.empty();
        }
        StringBuilder symbols = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (isBetween(c)) {
                continue;
            }
            char upper = c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
            if (!(upper >= 'A' && upper <= 'Z') && !(upper >= '0' && upper <= '9')) {
                return Optional.empty();
            }
            symbols.append(
                    switch (upper) {
                        case 'O' -> '0';
                        case 'I', 'L' -> '1';
                        default -> upper;
                    });
        }
        return symbols.length() >= LEAST && symbols.length() <= MOST
                ? Optional.of(symbols.toString())
                : Optional.empty();
    }

    // The keyboards of phones make dashes of hyphens.
    private static boolean isBetween(char c) {
        return c == '-'
                || (c >= '\u2010' && c <= '\u2015')
                || c == '\u2212'
                || Character.isWhitespace(c)
                || Character.isSpaceChar(c);
    }

    private static boolean isLikeOurs(String symbols) {
        return symbols.length() == LONG + 1 || symbols.length() == SHORT + 1;
    }

    private static boolean fits(String symbols) {
        String number = symbols.substring(0, symbols.length() - 1);
        return number.chars().allMatch(symbol -> ALPHABET.indexOf(symbol) >= 0)
                && check(number) == symbols.charAt(symbols.length() - 1);
    }

    /** Tells whether it has the form of the registry's own codes for labels, which cannot be guessed. */
    public boolean isLong() {
        return symbols.length() == LONG + 1;
    }

    /** Returns the 32 bytes under which it is stored: SHA-256 over its letters and digits in their one spelling. */
    public byte[] hash() {
        try {
            return MessageDigest.getInstance("SHA-256").digest(symbols.getBytes(StandardCharsets.US_ASCII));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Returns the code itself as people read it, in groups; never log it. */
    public String text() {
        int group = isLong() ? 5 : 4;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < symbols.length(); i++) {
            if (i > 0 && i % group == 0) {
                text.append('-');
            }
            text.append(symbols.charAt(i));
        }
        return text.toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ClaimCode code && Arrays.equals(hash(), code.hash());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(hash());
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "claim code of %d symbols", symbols.length());
    }
}
