package io.muster.spi;

import java.util.Objects;

/**
 * An access key and its secret, as handed to one device once. The registry stores only a hash of the secret.
 *
 * @param key 16 to 64 letters and digits: brokers split user names at anything else
 * @param secret at least 256 random bits, in characters that need no quoting in a URL or a form
 */
public record Credential(String key, String secret) {

    /**
     * Checks the form.
     *
     * @throws IllegalArgumentException if key or secret is too short, too long, or has a character that does not belong there
     */
    public Credential {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(secret, "secret");
        if (!key.matches("[A-Za-z0-9]{16,64}")) {
            throw new IllegalArgumentException("a key is 16 to 64 letters and digits");
        }
        if (!secret.matches("[A-Za-z0-9_-]{43,128}")) {
            throw new IllegalArgumentException("a secret is 43 to 128 base64url characters");
        }
    }

    /** Hides the secret. */
    @Override
    public String toString() {
        return "Credential[key=" + key + "]";
    }
}
