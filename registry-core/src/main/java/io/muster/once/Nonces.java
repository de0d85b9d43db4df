// SPDX-License-Identifier: Apache-2.0
package io.muster.once;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Nonces for proofs: they show that a proof was made now and for this registry. The registry stores none of them. A
 * nonce contains its time and a MAC under a key that every node has, so any node accepts the nonces of another. The
 * admission must ensure that a nonce is used once, by spending the {@link Use} that {@link #accept} returns.
 * Thread-safe.
 */
public final class Nonces {

    /** How long a nonce is good. */
    public static final Duration LIFETIME = Duration.ofMinutes(5);

    /** How far the clock of the issuing node may be ahead of ours. */
    static final Duration SKEW = Duration.ofSeconds(60);

    private static final byte VERSION = 1;
    private static final int RANDOM = 16;
    private static final int SIGNED = 1 + Long.BYTES + RANDOM;
    private static final int MAC = 32;
    private static final int LENGTH = (SIGNED + MAC) * 4 / 3;
    private static final byte[] KIND = "nonce\0".getBytes(StandardCharsets.US_ASCII);

    /**
     * A nonce for one proof.
     *
     * @param nonce letters, digits, {@code -} and {@code _}
     * @param expiresAt from when on it is refused
     */
    public record Nonce(String nonce, Instant expiresAt) {}

    private final List<SecretKeySpec> keys;
    private final byte[] issuer;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    /**
     * Issues and accepts nonces of one registry.
     *
     * @param keys 32 bytes each, the same on every node. The first one makes nonces; those that another one made are accepted too
     * @param issuer the address of the registry; two that share a key do not accept each other's nonces
     */
    public Nonces(List<byte[]> keys, URI issuer, Clock clock) {
        this.keys =
                keys.stream().map(key -> new SecretKeySpec(key, "HmacSHA256")).toList();
        this.issuer = issuer.toString().getBytes(StandardCharsets.UTF_8);
        this.clock = clock;
    }

    /** Issues a new one. */
    public Nonce issue() {
        Instant now = clock.instant();
        byte[] unique = new byte[RANDOM];
        random.nextBytes(unique);
        ByteBuffer nonce = ByteBuffer.allocate(SIGNED + MAC)
                .put(VERSION)
                .putLong(now.toEpochMilli())
                .put(unique);
        nonce.put(mac(keys.get(0), Arrays.copyOf(nonce.array(), SIGNED)));
        return new Nonce(
                Base64.getUrlEncoder().withoutPadding().encodeToString(nonce.array()),
                Instant.ofEpochMilli(now.toEpochMilli()).plus(LIFETIME));
    }

    /**
     * Checks a nonce without using it up.
     *
     * @param nonce the value in a proof, unchecked; not null
     * @return the use that the admission must spend, or empty if the nonce is not one of this registry's, or too old
     */
    public Optional<Use.Once> accept(String nonce) {
        byte[] bytes = decoded(nonce);
        if (bytes.length != SIGNED + MAC || bytes[0] != VERSION) {
            return Optional.empty();
        }
        byte[] signed = Arrays.copyOf(bytes, SIGNED);
        byte[] mac = Arrays.copyOfRange(bytes, SIGNED, bytes.length);
        if (keys.stream().noneMatch(key -> MessageDigest.isEqual(mac(key, signed), mac))) {
            return Optional.empty();
        }
        Instant issued = Instant.ofEpochMilli(ByteBuffer.wrap(signed).getLong(1));
        Instant expires = issued.plus(LIFETIME);
        Instant now = clock.instant();
        if (issued.isAfter(now.plus(SKEW)) || !now.isBefore(expires)) {
            return Optional.empty();
        }
        return Optional.of(new Use.Once(id(bytes), expires, false));
    }

    private static byte[] decoded(String nonce) {
        // Check the length first: a longer text is not read at all.
        if (nonce.length() != LENGTH) {
            return new byte[0];
        }
        try {
            return Base64.getUrlDecoder().decode(nonce);
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    // The issuer needs no length before it, since everything before it has a fixed length.
    private byte[] mac(SecretKeySpec key, byte[] signed) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(signed);
            return mac.doFinal(issuer);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    private static byte[] id(byte[] nonce) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        text.writeBytes(KIND);
        text.writeBytes(nonce);
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.toByteArray());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
