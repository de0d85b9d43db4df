// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * Secrets of 256 random bits, and their hashes. SHA-256 is enough. A slow password hash would protect nothing here,
 * because nobody can try 2^256 secrets. It would make every token request an attack on the registry's own processor.
 */
public final class Secrets {

    private static final int BYTES = 32;
    private static final SecureRandom RANDOM = new SecureRandom();

    private Secrets() {}

    /** Returns 43 base64url characters that nobody had before. */
    public static String next() {
        byte[] secret = new byte[BYTES];
        RANDOM.nextBytes(secret);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    }

    /** Returns the hash to store: SHA-256 of the text. */
    public static byte[] hash(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Compares in a time that does not depend on where the two differ. */
    public static boolean same(byte[] hash, byte[] other) {
        return MessageDigest.isEqual(hash, other);
    }
}
