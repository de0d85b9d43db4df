// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import java.util.Base64;
import java.util.Optional;

/**
 * Base64 as factories produce it: either alphabet of RFC 4648, with or without padding, and no white space. The result
 * is compared as bytes, so more than one spelling does no harm.
 */
final class Base64Text {

    private Base64Text() {}

    /** Returns the bytes, or empty if the text is not Base64 or longer than this many characters. */
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
