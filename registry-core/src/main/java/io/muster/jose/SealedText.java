// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import io.jsonwebtoken.Jwts;
import java.security.PublicKey;

/**
 * Texts that only the holder of a private key can read: JWE in compact form (RFC 7516), ECDH-ES to P-256 with A256GCM.
 */
public final class SealedText {

    private SealedText() {}

    /**
     * Seals a text. Sealing the same text twice gives two different results.
     *
     * @param utf8 JSON
     * @param reader a key of P-256
     */
    public static String seal(byte[] utf8, PublicJwk reader) {
        return Jwts.builder()
                .json(new JwtJson())
                .content(utf8, "json")
                .encryptWith((PublicKey) reader.key().key(), Jwts.KEY.ECDH_ES, Jwts.ENC.A256GCM)
                .compact();
    }
}
