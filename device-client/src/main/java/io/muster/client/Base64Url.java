// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.util.Base64;

/** Base64url without padding, as all of JOSE has it (RFC 7515 section 2). */
final class Base64Url {

    private Base64Url() {}

    static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /**
     * Reads the output of {@link #encode}.
     *
     * @throws IllegalArgumentException if it is anything else; quotes nothing of it
     */
    static byte[] decode(String text) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (encode(bytes).equals(text)) {
                return bytes;
            }
        } catch (IllegalArgumentException e) {
            // Neither shown nor chained: it quotes a character.
        }
        throw new IllegalArgumentException("not base64url");
    }
}
