package io.muster.spi;

import java.util.Map;
import java.util.Objects;

/**
 * One way for a device to authenticate, as an issuer made it: an access key, which is an identifier, and either a secret that the
 * registry keeps a hash of, or a public key whose private half the device has. Beside that an issuer may hand over whatever a
 * device needs elsewhere.
 */
public sealed interface Credential {

    /**
     * Returns what names it: user name and OAuth {@code client_id}.
     *
     * @return 16 to 64 letters and digits: brokers split user names at anything else
     */
    String key();

    /**
     * Returns what the device is told beside it, once: member {@code extras} of the reply to its registration. The registry keeps
     * none of it.
     *
     * @return texts by name; may be secret; empty unless an issuer says more
     */
    Map<String, String> extras();

    /**
     * Key and secret, handed to one device once.
     *
     * @param key 16 to 64 letters and digits
     * @param secret at least 256 random bits, in characters that need no quoting in a URL or a form
     * @param extras what else the device is told
     */
    record Secret(String key, String secret, Map<String, String> extras) implements Credential {

        /**
         * Checks the form.
         *
         * @throws IllegalArgumentException if key or secret is too short, too long, or has a character that does not belong there
         */
        public Secret {
            checkKey(key);
            Objects.requireNonNull(secret, "secret");
            if (!secret.matches("[A-Za-z0-9_-]{43,128}")) {
                throw new IllegalArgumentException("a secret is 43 to 128 base64url characters");
            }
            extras = Map.copyOf(extras);
        }

        /** Key and secret alone. */
        public Secret(String key, String secret) {
            this(key, secret, Map.of());
        }

        /** Hides the secret. */
        @Override
        public String toString() {
            return "Secret[key=" + key + "]";
        }
    }

    /**
     * A public key that the device offered; there is no secret.
     *
     * @param key 16 to 64 letters and digits
     * @param jwk the public half as a JWK (RFC 7517): what the device offered, and nothing else
     * @param extras what else the device is told
     */
    record PublicKey(String key, Map<String, Object> jwk, Map<String, String> extras) implements Credential {

        /**
         * Checks the form of the key, not the JWK.
         *
         * @throws IllegalArgumentException if the key is too short, too long, or has a character that does not belong there
         */
        public PublicKey {
            checkKey(key);
            jwk = Map.copyOf(jwk);
            extras = Map.copyOf(extras);
        }

        /** Names the key; extras may be secret. */
        @Override
        public String toString() {
            return "PublicKey[key=" + key + "]";
        }
    }

    private static void checkKey(String key) {
        Objects.requireNonNull(key, "key");
        if (!key.matches("[A-Za-z0-9]{16,64}")) {
            throw new IllegalArgumentException("a key is 16 to 64 letters and digits");
        }
    }
}
