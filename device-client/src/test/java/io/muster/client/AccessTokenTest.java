// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class AccessTokenTest {

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry().thenReceipt();

    private DeviceClient client;

    @BeforeEach
    void start() {
        client = device().build();
    }

    private DeviceClient.Builder device() {
        return registry.device(directory, time)
                .giveUpAfter(Duration.ofMinutes(2))
                .random(() -> 0L);
    }

    @Test
    void tokenIsAskedForWithFormEncodedBasicCredentials() throws Exception {
        registry.thenToken("token-1", 900);

        assertThat(client.accessToken()).isEqualTo("token-1");

        ScriptedRegistry.Request request = registry.requests().get(1);
        assertThat(request.path()).isEqualTo("/token");
        assertThat(request.header("Content-type")).isEqualTo("application/x-www-form-urlencoded");
        assertThat(request.body()).isEqualTo("grant_type=client_credentials");
        assertThat(request.header("Authorization")).startsWith("Basic ");
        assertThat(new String(
                        Base64.getDecoder()
                                .decode(request.header("Authorization").substring(6)),
                        StandardCharsets.US_ASCII))
                .isEqualTo("AKEY0123456789abcdef:s3cr3t-Of_the%2Bdevice%2F%25%26%3D%3A%C3%A9");
    }

    @ParameterizedTest
    @CsvSource({"900,720", "100,70", "60,30", "40,20", "10,5", "3600,2880"})
    void tokenIsUsedUntil80PercentOr30SecondsBeforeItsEnd(long lifetime, long renewal) throws Exception {
        registry.thenToken("token-1", lifetime).thenToken("token-2", lifetime);
        client.accessToken();

        time.pass(Duration.ofSeconds(renewal).minusNanos(1));
        assertThat(client.accessToken()).isEqualTo("token-1");
        assertThat(registry.requests()).hasSize(2);

        time.pass(Duration.ofNanos(1));
        assertThat(client.accessToken()).isEqualTo("token-2");
        assertThat(registry.requests()).hasSize(3);
    }

    @Test
    void lifetimeIsCountedFromBeforeTheRequest() throws Exception {
        registry.then(exchange -> {
                    time.pass(Duration.ofSeconds(200)); // a slow reply
                    byte[] reply =
                            "{\"access_token\":\"token-1\",\"expires_in\":300}".getBytes(StandardCharsets.US_ASCII);
                    exchange.sendResponseHeaders(200, reply.length);
                    exchange.getResponseBody().write(reply);
                })
                .thenToken("token-2", 300);
        assertThat(client.accessToken()).isEqualTo("token-1");

        time.pass(Duration.ofSeconds(40));

        assertThat(client.accessToken()).isEqualTo("token-2");
    }

    @Test
    void presentTokenIsUsedWhileRenewalFailsAndRenewalKeepsThePace() throws Exception {
        registry.thenToken("token-1", 900).thenStatus(503, "Retry-After", "60").thenToken("token-2", 900);
        client.accessToken();

        time.pass(Duration.ofMinutes(12));
        assertThat(client.accessToken()).isEqualTo("token-1");
        assertThat(client.accessToken()).isEqualTo("token-1");
        assertThat(registry.requests()).hasSize(3);
        assertThat(time.sleeps()).isEmpty();

        time.pass(Duration.ofSeconds(60));
        assertThat(client.accessToken()).isEqualTo("token-2");
    }

    @Test
    void presentTokenIsUsedToItsEndWhenRenewalIsRefused() throws Exception {
        registry.thenToken("token-1", 900).thenStatus(401).thenStatus(401).thenStatus(401);
        client.accessToken();

        time.pass(Duration.ofSeconds(899));
        assertThat(client.accessToken()).isEqualTo("token-1");

        time.pass(Duration.ofSeconds(1));
        assertThatThrownBy(client::accessToken).isInstanceOf(RefusedException.class);
    }

    @Test
    void expiredTokenIsNotUsedWhenRenewalFails() throws Exception {
        registry.thenToken("token-1", 900).thenStatus(503).thenStatus(503, "Retry-After", "600");
        client.accessToken();

        time.pass(Duration.ofMinutes(15));

        assertThatThrownBy(client::accessToken).isInstanceOf(UnavailableException.class);
    }

    @Test
    void manyThreadsAskOnce() throws Exception {
        registry.thenToken("token-1", 900);
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Callable<String>> calls = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                calls.add(client::accessToken);
            }
            for (Future<String> result : threads.invokeAll(calls)) {
                assertThat(result.get()).isEqualTo("token-1");
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void othersGetThePresentTokenWhileOneThreadRenews() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        registry.thenToken("token-1", 900).then(exchange -> {
            asked.countDown();
            try {
                answer.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            byte[] reply = "{\"access_token\":\"token-2\",\"expires_in\":900}".getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        });
        client.accessToken();
        time.pass(Duration.ofSeconds(800));
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Future<String> renewing = other.submit(client::accessToken);
            asked.await();

            assertThat(client.accessToken()).isEqualTo("token-1");

            answer.countDown();
            assertThat(renewing.get()).isEqualTo("token-2");
            assertThat(client.accessToken()).isEqualTo("token-2");
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void revokedCredentialIsARefusalAndNeverANewRegistration() {
        registry.then(401, "application/json", "{\"error\":\"invalid_client\",\"error_description\":\"no\"}");

        RefusedException refused = catchThrowableOfType(RefusedException.class, client::accessToken);

        assertThat(refused.status()).isEqualTo(401);
        assertThat(refused.type()).isEqualTo("invalid_client");
        assertThat(refused.detail()).isEqualTo("no");
        assertThat(registry.requests())
                .extracting(ScriptedRegistry.Request::path)
                .containsExactly("/register", "/token");
    }

    @Test
    void outageIsWaitedFor() throws Exception {
        registry.thenStatus(503)
                .thenStatus(500)
                .then(200, "text/html", "<html>maintenance</html>")
                .then(200, "application/json", "{\"token_type\":\"Bearer\"}")
                .thenToken("token-1", 900);

        assertThat(client.accessToken()).isEqualTo("token-1");
    }

    @Test
    void tokenOfUnknownLifetimeIsKeptForHalfAMinute() throws Exception {
        registry.then(200, "application/json", "{\"access_token\":\"token-1\"}").thenToken("token-2", 900);
        client.accessToken();

        time.pass(Duration.ofSeconds(29));
        assertThat(client.accessToken()).isEqualTo("token-1");
        time.pass(Duration.ofSeconds(1));
        assertThat(client.accessToken()).isEqualTo("token-2");
    }

    @Test
    void afterARestartTheStoredAddressIsUsed() throws Exception {
        registry.thenToken("token-1", 900);
        client.register();

        DeviceClient restarted =
                DeviceClient.builder().store(directory.resolve("device.json")).build();

        assertThat(restarted.accessToken()).isEqualTo("token-1");
    }

    @Test
    void storedAddressThatIsNotSafeHasToBeAllowedAgain() throws Exception {
        DeviceIdentity known = client.register();
        Path file = directory.resolve("plain.json");
        CredentialStore.at(file)
                .save(StoreContent.of(new DeviceIdentity(
                        URI.create("http://registry.example"),
                        "SN-0007",
                        known.deviceId(),
                        known.key(),
                        known.secret(),
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null)));

        DeviceClient restarted = DeviceClient.builder().store(file).build();

        assertThatThrownBy(restarted::accessToken).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void redirectDoesNotCarryTheSecretAway() throws Exception {
        try (ScriptedRegistry thief = new ScriptedRegistry()) {
            registry.thenStatus(307, "Location", thief.uri() + "/token").thenToken("token-1", 900);

            client.accessToken();

            assertThat(thief.requests()).isEmpty();
        }
    }
}
