// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureAlgorithm;
import io.muster.config.MusterConfig;
import io.muster.jose.Es256;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The algorithms of access tokens. */
enum SigningAlgorithm {
    /** ECDSA with P-256 and SHA-256. */
    ES256("ES256", "EC", Jwts.SIG.ES256, Es256.PROVIDER) {
        @Override
        KeyPair generate() throws GeneralSecurityException {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(family());
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        }

        @Override
        SortedMap<String, String> required(PublicKey key) {
            ECPublicKey point = (ECPublicKey) key;
            return new TreeMap<>(Map.of(
                    "kty",
                    "EC",
                    "crv",
                    "P-256",
                    "x",
                    coordinate(point.getW().getAffineX()),
                    "y",
                    coordinate(point.getW().getAffineY())));
        }
    },
    /** EdDSA with Ed25519. */
    EDDSA("EdDSA", "Ed25519", Jwts.SIG.EdDSA, null) {
        @Override
        KeyPair generate() throws GeneralSecurityException {
            return KeyPairGenerator.getInstance(family()).generateKeyPair();
        }

        @Override
        SortedMap<String, String> required(PublicKey key) {
            byte[] encoded = key.getEncoded();
            // RFC 8410 section 4: the encoding ends with the key in the form of RFC 8032.
            byte[] x = Arrays.copyOfRange(encoded, encoded.length - COORDINATE, encoded.length);
            return new TreeMap<>(Map.of("kty", "OKP", "crv", "Ed25519", "x", base64(x)));
        }
    };

    private static final int COORDINATE = 32;

    private final String word;
    private final String family;

    @SuppressWarnings("ImmutableEnumChecker") // a constant of jjwt
    private final SignatureAlgorithm jjwt;

    @SuppressWarnings("ImmutableEnumChecker") // nobody changes it
    private final Provider provider;

    SigningAlgorithm(String word, String family, SignatureAlgorithm jjwt, Provider provider) {
        this.word = word;
        this.family = family;
        this.jjwt = jjwt;
        this.provider = provider;
    }

    static SigningAlgorithm of(MusterConfig.TokenAlgorithm configured) {
        return switch (configured) {
            case ES256 -> ES256;
            case EDDSA -> EDDSA;
        };
    }

    /** Returns the algorithm that a row of the database names. */
    static SigningAlgorithm ofStored(String word) {
        return Stream.of(values())
                .filter(algorithm -> algorithm.word.equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("a stored signing key has an unknown algorithm"));
    }

    abstract KeyPair generate() throws GeneralSecurityException;

    /** Returns the members of a JWK from which its thumbprint is made (RFC 7638 section 3.2, RFC 8037 section 2). */
    abstract SortedMap<String, String> required(PublicKey key);

    /** Returns its name in headers, keys and the database. */
    String word() {
        return word;
    }

    /** Returns the platform's name for this kind of key. */
    String family() {
        return family;
    }

    SignatureAlgorithm jjwt() {
        return jjwt;
    }

    /** Returns the provider for jjwt; null for the platform's own. */
    Provider provider() {
        return provider;
    }

    private static String coordinate(BigInteger number) {
        byte[] bytes = new byte[COORDINATE];
        byte[] signed = number.toByteArray();
        int length = Math.min(signed.length, COORDINATE);
        System.arraycopy(signed, signed.length - length, bytes, COORDINATE - length, length);
        return base64(bytes);
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
