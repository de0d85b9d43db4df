package io.muster.verification;

import java.util.Base64;
import java.util.Optional;

/**
 * Base64 as it comes from factories: either alphabet of RFC 4648, with padding or without, and no white space. What it says is
 * compared as bytes, so more than one spelling does no harm.
 */
final class Base64Text {

    private Base64Text() {}

    /** Returns the bytes, or empty if the text is nothing like that or longer than so many characters. */
    static Optional<byte[]> decode(String text, int longest) {
        if (text.length() > longest) {
            return Optional.empty();
        }
        try {
            return Optional.of(Base64.getDecoder().decode(text.replace('-', '+').replace('_', '/')));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
