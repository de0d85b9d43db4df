// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.Map;

/** Signed objects in the compact form (RFC 7515). */
final class Jws {

    private Jws() {}

    /**
     * Signs.
     *
     * @param jdkAlgorithm the JDK's name of the header's {@code alg}
     * @throws IllegalStateException if the key does not sign
     */
    static String compact(Map<String, ?> header, Map<String, ?> claims, PrivateKey key, String jdkAlgorithm)
            throws IOException {
        String signed = Base64Url.encode(Json.write(header)) + "." + Base64Url.encode(Json.write(claims));
        try {
            Signature signature = Signature.getInstance(jdkAlgorithm);
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + Base64Url.encode(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the device's key does not sign any more", e);
        }
    }
}
