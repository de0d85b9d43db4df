// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.util.Map;
import java.util.Objects;

/**
 * One way for a device to authenticate, as an issuer made it. It has an access key, which is an identifier. It also has
 * either a secret, of which the registry keeps a hash, or a public key, whose private half the device has. An issuer
 * may add whatever else a device needs elsewhere.
 */
public sealed interface Credential {

    /** How many extras a credential can have. */
    int MOST_EXTRAS = 100;

    /**
     * Returns the access key: the user name and OAuth {@code client_id}.
     *
     * @return 16 to 64 letters and digits: brokers split user names at anything else
     */
    String key();

    /**
     * Returns what else the device is told, once: the member {@code extras} of the reply to its registration. The
     * registry keeps none of it.
     *
     * @return texts by name; may be secret; empty unless an issuer adds something
     */
    Map<String, String> extras();

    /**
     * A key and a secret, handed to one device once.
     *
     * @param key 16 to 64 letters and digits
     * @param secret at least 256 random bits, in characters that need no quoting in a URL or a form
     * @param extras further texts for the device
     */
    record Secret(String key, String secret, Map<String, String> extras) implements Credential {

        /**
         * Checks the form.
         *
         * @throws IllegalArgumentException if key or secret is too short, too long, or has a character that is not
         *     allowed, or if there are more than {@value #MOST_EXTRAS} extras
         */
        public Secret {
            checkKey(key);
            Objects.requireNonNull(secret, "secret");
            if (!secret.matches("[A-Za-z0-9_-]{43,128}")) {
                throw new IllegalArgumentException("a secret is 43 to 128 base64url characters");
            }
            extras = Copies.of("extras", extras, MOST_EXTRAS);
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
     * @param jwk the public half as a JWK (RFC 7517), exactly as the device offered it
     * @param extras further texts for the device
     */
    record PublicKey(String key, Map<String, Object> jwk, Map<String, String> extras) implements Credential {

        /**
         * Checks the form of the key, not the JWK.
         *
         * @throws IllegalArgumentException if the key is too short, too long, or has a character that is not allowed,
         *     or if there are more than {@value #MOST_EXTRAS} extras
         */
        public PublicKey {
            checkKey(key);
            jwk = Map.copyOf(jwk);
            extras = Copies.of("extras", extras, MOST_EXTRAS);
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
