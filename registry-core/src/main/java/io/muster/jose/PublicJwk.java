// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.jose.VerificationKey.Algorithm;
import io.muster.json.Json;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The public key of a device, EC with P-256 or Ed25519, reduced to the members that define it (RFC 7638 section 3.2).
 * Two instances of the same key are equal, whatever other members were written beside them. Immutable.
 */
public final class PublicJwk {

    /** The names of the algorithms that devices sign with: one algorithm for each kind of key. */
    public static final List<String> ALGORITHMS = Stream.of(Algorithm.ES256, Algorithm.EDDSA)
            .flatMap(algorithm -> algorithm.names().stream())
            .toList();

    private static final String KINDS = "EC with P-256 and Ed25519";

    /** The curves whose names a message may repeat to the sender; other names may be anything. */
    private static final Set<String> CURVES =
            Set.of("P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448", "X25519", "X448");

    private final VerificationKey key;
    private final Map<String, String> members;

    private PublicJwk(VerificationKey key, Map<String, String> members) {
        this.key = key;
        this.members = members;
    }

    /**
     * Reads one.
     *
     * @throws InvalidKeyException if it is private, weak, damaged or of another kind; the message says why and repeats
     *     no value
     */
    public static PublicJwk read(JsonNode jwk) throws InvalidKeyException {
        Optional<String> other = other(jwk);
        if (other.isPresent()) {
            throw new InvalidKeyException(other.get());
        }
        VerificationKey key;
        try {
            key = Jwk.read(jwk);
        } catch (Jwk.UnusableException e) {
            throw new InvalidKeyException(e.getMessage());
        }
        // In alphabetical order, as the thumbprint demands.
        Map<String, String> members = new TreeMap<>();
        for (String member : new String[] {"crv", "kty", "x", "y"}) {
            if (jwk.has(member) && !(member.equals("y") && key.algorithm() == Algorithm.EDDSA)) {
                members.put(member, jwk.get(member).textValue());
            }
        }
        return new PublicJwk(key, members);
    }

    /** Describes a key that is of another kind, or not only a public key; empty if it may be an accepted one. */
    private static Optional<String> other(JsonNode jwk) {
        if (!jwk.isObject()) {
            return Optional.empty();
        }
        String type = jwk.path("kty").asText();
        if (type.equals("oct")) {
            return Optional.of("it is a shared secret; accepted are public keys, " + KINDS);
        }
        String secret = String.join(", ", Jwk.privateMembers(jwk));
        if (!secret.isEmpty()) {
            return Optional.of("it has the private half (" + secret + "); send the public half only");
        }
        String curve = jwk.path("crv").asText();
        return switch (type) {
            case "RSA" -> Optional.of("it is an RSA key; accepted are " + KINDS);
            case "EC" -> curve.equals("P-256") ? Optional.empty() : Optional.of("it is an EC key with " + named(curve));
            case "OKP" ->
                curve.equals("Ed25519") ? Optional.empty() : Optional.of("it is an OKP key with " + named(curve));
            default -> Optional.of("kty must be EC or OKP");
        };
    }

    private static String named(String curve) {
        return (CURVES.contains(curve) ? curve : "another curve") + "; accepted are " + KINDS;
    }

    /** A key that is not to be used. */
    public static final class InvalidKeyException extends Exception {

        private static final long serialVersionUID = 1;

        InvalidKeyException(String why) {
            super(why, null, false, false);
        }
    }

    /** Returns the key with these members, which were checked before. */
    public static PublicJwk of(Map<String, Object> jwk) {
        return stored(Json.text(jwk));
    }

    /** Reads the output of {@link #text}. */
    public static PublicJwk stored(String text) {
        try {
            return read(Json.parse(text.getBytes(StandardCharsets.UTF_8)));
        } catch (InvalidKeyException e) {
            throw new IllegalArgumentException("not a public key: " + e.getMessage(), e);
        }
    }

    /** Returns the members that define the key, in their fixed order. */
    public String text() {
        return Json.text(members);
    }

    /** Returns the members that define the key. */
    public Map<String, Object> members() {
        return Map.copyOf(members);
    }

    /** Returns the key, pinned to its one algorithm. */
    public VerificationKey key() {
        return key;
    }

    /** Returns SHA-256 of the members (RFC 7638) in base64url. */
    public String thumbprint() {
        try {
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-256").digest(text().getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PublicJwk same && same.members.equals(members);
    }

    @Override
    public int hashCode() {
        return members.hashCode();
    }

    /** Names the key by its thumbprint. */
    @Override
    public String toString() {
        return "PublicJwk[" + thumbprint() + "]";
    }
}
