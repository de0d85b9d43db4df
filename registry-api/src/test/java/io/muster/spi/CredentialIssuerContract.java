// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The promises of every {@link CredentialIssuer}, except the form of a credential, which {@link Credential} checks
 * itself.
 */
public interface CredentialIssuerContract {

    /** The issuer under test. */
    CredentialIssuer issuer();

    /** The key that the device offers, for an issuer that needs one. */
    default Optional<Map<String, Object>> publicKey() {
        return Optional.empty();
    }

    /** A device to issue credentials for. */
    default RegisteredDevice device() {
        return new RegisteredDevice(
                new DeviceId("0190a0b0c0d07e0f8a1b2c3d4e5f6071"),
                new SerialNumber("SN-0001"),
                "default",
                Map.of(),
                publicKey());
    }

    @Test
    default void noKeyAndNoSecretIsIssuedTwice() throws Exception {
        CredentialIssuer issuer = issuer();
        int each = 500;
        ExecutorService threads = Executors.newFixedThreadPool(16);
        Set<String> seen = new HashSet<>();
        try {
            var batches = IntStream.range(0, 16)
                    .mapToObj(i -> threads.submit(() -> IntStream.range(0, each)
                            .mapToObj(n -> issuer.issue(device()))
                            .toList()))
                    .toList();
            for (Future<List<Credential>> batch : batches) {
                for (Credential credential : batch.get()) {
                    seen.add(credential.key());
                    secret(credential).ifPresent(seen::add);
                }
            }
        } finally {
            threads.shutdownNow();
        }

        int texts = secret(issuer.issue(device())).isPresent() ? 2 : 1;
        assertEquals(texts * 16 * each, seen.size());
    }

    private static Optional<String> secret(Credential credential) {
        return credential instanceof Credential.Secret secret ? Optional.of(secret.secret()) : Optional.empty();
    }

    @Test
    default void publicKeyIsTheOneThatTheDeviceOffered() {
        if (issuer().issue(device()) instanceof Credential.PublicKey credential) {
            assertEquals(device().publicKey(), Optional.of(credential.jwk()));
        }
    }

    @Test
    default void credentialDoesNotContainTheSerial() {
        Credential credential = issuer().issue(device());

        assertFalse(credential.key().contains(device().serial().value()));
        assertFalse(secret(credential).orElse("").contains(device().serial().value()));
    }

    @Test
    default void textFormHidesTheSecret() {
        Credential credential = issuer().issue(device());

        assertTrue(credential.toString().contains(credential.key()));
        secret(credential).ifPresent(text -> assertFalse(credential.toString().contains(text)));
        // An extra may repeat the key, which is no secret.
        credential.extras().values().stream()
                .filter(text -> !text.equals(credential.key()))
                .forEach(text -> assertFalse(credential.toString().contains(text)));
    }
}
