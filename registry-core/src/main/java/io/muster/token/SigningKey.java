// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.json.Json;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A pair of keys for one algorithm and no other. Its id is the thumbprint of its public half (RFC 7638).
 *
 * @param pair without the private half once that is destroyed
 */
record SigningKey(SigningAlgorithm algorithm, String kid, KeyPair pair) {

    static SigningKey generate(SigningAlgorithm algorithm) {
        try {
            return of(algorithm, algorithm.generate());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + algorithm.family(), e);
        }
    }

    /** Reads a key. If its private half is destroyed, {@code pkcs8} is empty. */
    static SigningKey read(SigningAlgorithm algorithm, byte[] x509, byte[] pkcs8) {
        try {
            KeyFactory factory = KeyFactory.getInstance(algorithm.family());
            PrivateKey secret = pkcs8.length == 0 ? null : factory.generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            return of(algorithm, new KeyPair(factory.generatePublic(new X509EncodedKeySpec(x509)), secret));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a stored signing key is damaged", e);
        }
    }

    private static SigningKey of(SigningAlgorithm algorithm, KeyPair pair) throws GeneralSecurityException {
        // RFC 7638 section 3: the required members, in alphabetical order, without white space.
        byte[] text = Json.bytes(algorithm.required(pair.getPublic()));
        byte[] thumbprint = MessageDigest.getInstance("SHA-256").digest(text);
        return new SigningKey(algorithm, Base64.getUrlEncoder().withoutPadding().encodeToString(thumbprint), pair);
    }

    /** Tells whether it still has its private half. */
    boolean canSign() {
        return pair.getPrivate() != null;
    }

    /** The public half as a JWK (RFC 7517, RFC 7518 section 6.2.1, RFC 8037 section 2). */
    Map<String, String> jwk() {
        Map<String, String> jwk = new LinkedHashMap<>(algorithm.required(pair.getPublic()));
        jwk.put("kid", kid);
        jwk.put("use", "sig");
        jwk.put("alg", algorithm.word());
        return jwk;
    }

    /** Names the key, never the key itself. */
    @Override
    public String toString() {
        return "SigningKey[" + kid + "]";
    }
}
