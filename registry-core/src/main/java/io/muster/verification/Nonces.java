package io.muster.verification;

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
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Nonces that a proof must contain, so that it was made now and for this registry. Nothing is stored when one is given out: it
 * carries its time and a MAC under a key that every node has, so any node accepts what another gave out. That it is used once
 * is for the admission to ensure, by spending the {@link Use} that {@link #accept} returns. Thread-safe.
 */
public final class Nonces {

    /** How long a nonce is good. */
    public static final Duration LIFETIME = Duration.ofMinutes(5);

    /** How far the clock of the node that gave it out may be ahead of ours. */
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

    private final SecretKeySpec key;
    private final byte[] issuer;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    /**
     * Makes and accepts nonces of one registry.
     *
     * @param key 32 bytes, the same on every node
     * @param issuer the address of the registry; two that share a key do not accept each other's nonces
     */
    public Nonces(byte[] key, URI issuer, Clock clock) {
        this.key = new SecretKeySpec(key, "HmacSHA256");
        this.issuer = issuer.toString().getBytes(StandardCharsets.UTF_8);
        this.clock = clock;
    }

    /** Returns a new one. */
    public Nonce issue() {
        Instant now = clock.instant();
        byte[] unique = new byte[RANDOM];
        random.nextBytes(unique);
        ByteBuffer nonce = ByteBuffer.allocate(SIGNED + MAC)
                .put(VERSION)
                .putLong(now.toEpochMilli())
                .put(unique);
        nonce.put(mac(Arrays.copyOf(nonce.array(), SIGNED)));
        return new Nonce(
                Base64.getUrlEncoder().withoutPadding().encodeToString(nonce.array()),
                Instant.ofEpochMilli(now.toEpochMilli()).plus(LIFETIME));
    }

    /**
     * Checks a nonce; uses it up no more than looking at it would.
     *
     * @param nonce whatever a proof contains; not null
     * @return what the admission must spend, or empty if it is not one of this registry's, or too old
     */
    public Optional<Use.Once> accept(String nonce) {
        byte[] bytes = decoded(nonce);
        if (bytes.length != SIGNED + MAC || bytes[0] != VERSION) {
            return Optional.empty();
        }
        byte[] signed = Arrays.copyOf(bytes, SIGNED);
        if (!MessageDigest.isEqual(mac(signed), Arrays.copyOfRange(bytes, SIGNED, bytes.length))) {
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
        // The length first: whatever is longer is not read at all.
        if (nonce.length() != LENGTH) {
            return new byte[0];
        }
        try {
            return Base64.getUrlDecoder().decode(nonce);
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    // The issuer has no length before it, but follows what has a fixed one.
    private byte[] mac(byte[] signed) {
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
