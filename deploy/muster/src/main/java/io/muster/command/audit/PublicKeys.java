// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** The public keys of seals, from a JWK set (RFC 7517, RFC 8037). */
final class PublicKeys {

    /** X.509 has these bytes before the key itself (RFC 8410). */
    private static final byte[] PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private static final int RAW_KEY = 32;

    private PublicKeys() {}

    /** The file has no keys of seals. */
    static final class UnusableException extends IOException {

        @Serial
        private static final long serialVersionUID = 1;

        UnusableException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Reads the keys by their ids. */
    static Map<String, PublicKey> read(Path file) throws IOException {
        try {
            Map<String, PublicKey> keys = new HashMap<>();
            for (Object key : (List<?>) JsonLine.object(Files.readString(file)).get("keys")) {
                Map<?, ?> jwk = (Map<?, ?>) key;
                if (!"Ed25519".equals(jwk.get("crv"))) {
                    throw new UnusableException("it has a key that is not Ed25519", null);
                }
                byte[] x = Base64.getUrlDecoder().decode((String) jwk.get("x"));
                byte[] x509 = Arrays.copyOf(PREFIX, PREFIX.length + RAW_KEY);
                System.arraycopy(x, 0, x509, PREFIX.length, RAW_KEY);
                keys.put(
                        (String) jwk.get("kid"),
                        KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(x509)));
            }
            return keys;
        } catch (ClassCastException | NullPointerException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new UnusableException("it is not a set of keys in JSON", e);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new UnusableException("it is not JSON", e);
        } catch (GeneralSecurityException e) {
            throw new UnusableException("it has a damaged key", e);
        }
    }
}
