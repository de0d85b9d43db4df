package io.muster.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every {@link CredentialIssuer} promises beside the form, which {@link Credential} checks itself. */
public interface CredentialIssuerContract {

    /** The issuer under test. */
    CredentialIssuer issuer();

    /** A device to issue credentials for. */
    default RegisteredDevice device() {
        return new RegisteredDevice(
                new DeviceId("0190a0b0c0d07e0f8a1b2c3d4e5f6071"), new SerialNumber("SN-0001"), "default", Map.of());
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
                    seen.add(credential.secret());
                }
            }
        } finally {
            threads.shutdownNow();
        }

        assertEquals(2 * 16 * each, seen.size());
    }

    @Test
    default void credentialDoesNotContainTheSerial() {
        Credential credential = issuer().issue(device());

        assertFalse(credential.key().contains(device().serial().value()));
        assertFalse(credential.secret().contains(device().serial().value()));
    }

    @Test
    default void textFormHidesTheSecret() {
        Credential credential = issuer().issue(device());

        assertTrue(credential.toString().contains(credential.key()));
        assertFalse(credential.toString().contains(credential.secret()));
    }
}
