// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import io.jsonwebtoken.Identifiable;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SecureDigestAlgorithm;
import java.security.Key;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.crypto.spec.SecretKeySpec;

/**
 * A key that checks signatures with one algorithm and no other, whatever a token's header says (RFC 8725 section 3.1).
 *
 * @param kid its id, if it has one
 * @param algorithm the only algorithm it is used with
 * @param key a public key or a shared secret
 */
public record VerificationKey(Optional<String> kid, Algorithm algorithm, Key key) {

    /** A secret with fewer bytes than the hash would be weaker than the algorithm promises (RFC 7518 section 3.2). */
    public static final int SHORTEST_SECRET = 32;

    /** The algorithms of tokens from outside. */
    public enum Algorithm {
        /** HMAC with SHA-256. */
        HS256("HS256", Jwts.SIG.HS256),
        /** ECDSA with P-256 and SHA-256. */
        ES256("ES256", Jwts.SIG.ES256),
        /** RSA, PKCS #1 v1.5 with SHA-256. */
        RS256("RS256", Jwts.SIG.RS256),
        /** EdDSA with Ed25519, which has two names. */
        EDDSA("EdDSA", Jwts.SIG.EdDSA, Ed25519.NAMED);

        private final String word;

        @SuppressWarnings(
                "ImmutableEnumChecker") // constants of jjwt, which do not say of themselves that they are immutable
        private final List<SecureDigestAlgorithm<?, ?>> jjwt;

        Algorithm(String word, SecureDigestAlgorithm<?, ?>... jjwt) {
            this.word = word;
            this.jjwt = List.of(jjwt);
        }

        /** Returns its common name. */
        public String word() {
            return word;
        }

        /** Returns its names in headers and keys, each compared exactly. */
        List<String> names() {
            return jjwt.stream().<String>map(Identifiable::getId).toList();
        }

        /** Returns jjwt's algorithm for each of its names. */
        List<SecureDigestAlgorithm<?, ?>> jjwt() {
            return jjwt;
        }

        /** Returns the algorithm of this name, or empty for any other name, such as {@code none}. */
        public static Optional<Algorithm> of(String name) {
            return Stream.of(values())
                    .filter(algorithm -> algorithm.names().contains(name))
                    .findFirst();
        }
    }

    /** Returns a shared secret without an id, for HS256; at least {@link #SHORTEST_SECRET} bytes. */
    public static VerificationKey secret(byte[] secret) {
        if (secret.length < SHORTEST_SECRET) {
            throw new IllegalArgumentException("a shared secret has at least " + SHORTEST_SECRET + " bytes");
        }
        return new VerificationKey(Optional.empty(), Algorithm.HS256, new SecretKeySpec(secret, "HmacSHA256"));
    }

    /** Hides the key, which may be a secret. */
    @Override
    public String toString() {
        return "VerificationKey[" + algorithm.word() + "]";
    }
}
