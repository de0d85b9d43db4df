// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class RotationTest {

    private static final RandomGenerator HALF = () -> Long.MIN_VALUE; // the double in the middle
    private static final String NEXT = "{\"deviceId\":\"d\",\"key\":\"NEW\",\"secret\":\"new-secret\"}";
    private static final String INVALID = "{\"error\":\"invalid_client\"}";

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry().thenReceipt();

    private DeviceClient.Builder device() {
        return registry.device(directory, time)
                .giveUpAfter(Duration.ofMinutes(2))
                .random(HALF);
    }

    private Path file() {
        return directory.resolve("device.json");
    }

    private StoreContent stored() throws IOException {
        return CredentialStore.at(file()).loadAll().orElseThrow();
    }

    private ScriptedRegistry thenNext() {
        return registry.then(200, "application/json", NEXT);
    }

    /** The only clock is the scripted server's own, which its replies have in Date. */
    private ScriptedRegistry thenTokenToRotate(String token, Duration left) {
        return registry.then(exchange -> {
            byte[] reply = ("{\"access_token\":\"" + token + "\",\"expires_in\":900,\"rotate_by\":"
                            + Instant.now().plus(left).getEpochSecond() + "}")
                    .getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        });
    }

    private List<String> paths() {
        return registry.requests().stream().map(ScriptedRegistry.Request::path).toList();
    }

    private String keyUsedIn(int request) {
        String basic = registry.requests().get(request).header("Authorization").replaceFirst("^Basic ", "");
        return new String(Base64.getDecoder().decode(basic), StandardCharsets.US_ASCII).replaceFirst(":.*$", "");
    }

    @Test
    void newCredentialIsStoredBesideTheOldOneThenUsedThenAlone() throws Exception {
        thenNext();
        registry.then(exchange -> {
            StoreContent both = stored();
            assertThat(both.identity().key()).isEqualTo("AKEY0123456789abcdef");
            assertThat(both.next().orElseThrow().key()).isEqualTo("NEW");
            assertThat(directory.resolve("device.json.pending")).doesNotExist();
            byte[] reply = "{\"access_token\":\"token-2\",\"expires_in\":900}".getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        });
        DeviceClient client = device().build();

        DeviceIdentity rotated = client.rotate();

        assertThat(rotated.key()).isEqualTo("NEW");
        assertThat(rotated.secret()).isEqualTo("new-secret");
        assertThat(rotated.configuration()).containsEntry("interval", "PT30S");
        assertThat(paths()).containsExactly("/register", "/devices/me/credentials", "/token");
        assertThat(keyUsedIn(1)).isEqualTo("AKEY0123456789abcdef");
        assertThat(keyUsedIn(2)).isEqualTo("NEW");
        assertThat(stored()).isEqualTo(StoreContent.of(rotated));
        assertThat(client.accessToken()).isEqualTo("token-2");
    }

    @Test
    void newCredentialThatIsRefusedIsDroppedAndTheOldOneStays() throws Exception {
        thenNext();
        registry.then(401, "application/json", INVALID).thenToken("token-2", 900);
        DeviceClient client = device().build();

        assertThatThrownBy(client::rotate).isInstanceOf(RefusedException.class);

        assertThat(stored().next()).isEmpty();
        assertThat(stored().identity().secret()).isEqualTo(ScriptedRegistry.SECRET);
        assertThat(client.accessToken()).isEqualTo("token-2");
    }

    @Test
    void bothAreKeptWhileNeitherWorks() throws Exception {
        thenNext();
        registry.then(401, "application/json", INVALID)
                .then(401, "application/json", INVALID)
                .thenToken("token-2", 900);

        assertThatThrownBy(device().build()::rotate).isInstanceOf(RefusedException.class);
        assertThat(stored().next().orElseThrow().key()).isEqualTo("NEW");

        assertThat(device().build().accessToken()).isEqualTo("token-2");
        assertThat(stored().identity().key()).isEqualTo("NEW");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void rotationIsDoneAtARandomMomentBeforeTheTime(boolean restarted) throws Exception {
        thenTokenToRotate("token-1", Duration.ofSeconds(1000)); // half of nine tenths of it: 450 s
        DeviceClient client = device().build();
        assertThat(client.accessToken()).isEqualTo("token-1");

        time.pass(Duration.ofSeconds(440));
        assertThat(client.accessToken()).isEqualTo("token-1");
        assertThat(paths()).hasSize(2);
        if (restarted) {
            thenTokenToRotate("token-1b", Duration.ofSeconds(1000));
            client = device().random(() -> 0L).build(); // would draw another moment, if it did not know the first
            assertThat(client.accessToken()).isEqualTo("token-1b");
            time.pass(Duration.ofSeconds(430)); // the server's clock did not move with ours
        }

        thenNext().thenToken("token-2", 900);
        time.pass(Duration.ofSeconds(20));
        assertThat(client.accessToken()).isEqualTo("token-2");
        assertThat(stored().identity().key()).isEqualTo("NEW");
        assertThat(stored().rotateAt()).isEmpty();
    }

    @Test
    void commandThatRunsOnceATimeRotatesBehindAProxyThatTakesTheDateAway() throws Exception {
        device().build().register();
        Instant then = Instant.parse("2026-11-26T10:00:00Z");
        Instant later = then.plusSeconds(46); // the moment that was drawn is half of nine tenths of 100 s
        try (BreakingServer dateless = new BreakingServer(
                dateless(tokenOf(then, then.plusSeconds(100))),
                dateless(tokenOf(later, then.plusSeconds(100))),
                dateless(NEXT),
                dateless("{\"access_token\":\"token-3\",\"expires_in\":900}"))) {

            for (int run = 0; run < 2; run++) {
                assertThat(stored().identity().key()).isEqualTo("AKEY0123456789abcdef");
                device().registry(dateless.uri()).build().accessToken();
            }

            assertThat(dateless.unsent()).isEmpty();
            assertThat(stored().identity().key()).isEqualTo("NEW");
        }
    }

    private static String dateless(String json) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + json.length() + "\r\nConnection: close\r\n\r\n" + json;
    }

    /** A reply with a token that says itself when it was issued. */
    private static String tokenOf(Instant issued, Instant rotateBy) {
        String claims = "{\"sub\":\"d\",\"iat\":%d}".formatted(issued.getEpochSecond());
        return "{\"access_token\":\"e30.%s.c2ln\",\"expires_in\":900,\"rotate_by\":%d}"
                .formatted(Base64Url.encode(claims.getBytes(StandardCharsets.US_ASCII)), rotateBy.getEpochSecond());
    }

    @ParameterizedTest
    @ValueSource(strings = {"opaque", "a.b.c", "e30.e30.c2ln", "e30.eyJpYXQiOiJ4In0.c2ln", "e30.eyJpYXQiOjFlMzB9.c2ln"})
    void tokenThatDoesNotSayWhenItWasIssuedIsNoFault(String text) throws Exception {
        Registry.Answer answer = new Registry.Answer(
                Map.of("access_token", text, "rotate_by", 1_800_000_000L), Optional.empty(), Optional.empty());

        AccessToken token = AccessToken.read(answer, new Credential("k", "s", null, null), false, 0);

        assertThat(token.rotateBy()).isPresent();
        assertThat(token.date()).isEmpty();
    }

    @Test
    void rotationIsNotLeftToTheLastTenth() throws Exception {
        thenTokenToRotate("token-1", Duration.ofSeconds(100));
        DeviceClient client = device().random(() -> -1L).build();
        client.accessToken();

        thenNext().thenToken("token-2", 900);
        time.pass(Duration.ofSeconds(90));

        assertThat(client.accessToken()).isEqualTo("token-2");
    }

    @Test
    void rotationThatFailsIsNoFailureOfTheCallAndNoStorm() throws Exception {
        thenTokenToRotate("token-1", Duration.ZERO);
        registry.then(403, "application/json", "{}");
        DeviceClient client = device().build();

        for (int i = 0; i < 10; i++) {
            assertThat(client.accessToken()).isEqualTo("token-1");
        }

        assertThat(paths()).containsExactly("/register", "/token", "/devices/me/credentials");
        thenTokenToRotate("token-2", Duration.ZERO);
        registry.thenStatus(503);
        time.pass(Duration.ofSeconds(800));
        assertThat(client.accessToken()).isEqualTo("token-2");
        assertThat(client.accessToken()).isEqualTo("token-2");
        assertThat(paths()).hasSize(5);
    }

    @Test
    void processThatDidNotRotateTakesWhatAnotherOneStored() throws Exception {
        registry.thenToken("token-1", 900);
        DeviceClient first = device().build();
        first.accessToken();
        thenNext().thenToken("token-3", 900);
        device().build().rotate();

        registry.then(401, "application/json", INVALID).thenToken("token-4", 900);
        time.pass(Duration.ofMinutes(15));

        assertThat(first.accessToken()).isEqualTo("token-4");
        assertThat(keyUsedIn(4)).isEqualTo("AKEY0123456789abcdef");
        assertThat(keyUsedIn(5)).isEqualTo("NEW");
        assertThat(first.identity().orElseThrow().key()).isEqualTo("NEW");
    }

    @Test
    void deviceWithASecretGetsAKeyIfItIsToldTo() throws Exception {
        device().build().register();
        registry.then(200, "application/json", "{\"nonce\":\"N-1\"}")
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"NEW\"}")
                .thenToken("token-2", 900);

        DeviceIdentity rotated = device().deviceKey().build().rotate();

        assertThat(rotated.secret()).isNull();
        assertThat(stored().deviceKey()).isPresent();
        assertThat(file()).content().doesNotContain(ScriptedRegistry.SECRET);
    }

    @Test
    void storeWithBothCutAnywhereIsAClearErrorAndIsLeftAlone() throws Exception {
        thenNext();
        registry.thenStatus(503);
        assertThatThrownBy(() -> device().random(() -> -1L)
                        .giveUpAfter(Duration.ofMillis(500))
                        .build()
                        .rotate())
                .isInstanceOf(UnavailableException.class);
        byte[] whole = Files.readAllBytes(file());
        assertThat(stored().next()).isPresent();

        for (int length = 0; length < whole.length - 1; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            Files.write(file(), part);

            assertThatThrownBy(() -> CredentialStore.at(file()).load())
                    .as("cut to %d bytes", length)
                    .isInstanceOf(CredentialStore.UnusableException.class)
                    .message()
                    .doesNotContain("new-secret", "s3cr3t");
            assertThat(Files.readAllBytes(file())).isEqualTo(part);
        }
    }

    @Test
    void diskThatTakesNothingMoreDoesNotStopADeviceWithTwoCredentials() throws Exception {
        thenNext();
        registry.then(exchange -> {
            Files.createDirectories(directory.resolve("device.json.tmp/x")); // no room for the next step
            byte[] reply = "{\"access_token\":\"token-2\",\"expires_in\":900}".getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        });
        DeviceClient client = device().build();

        assertThat(client.rotate().key()).isEqualTo("NEW");
        assertThat(client.accessToken()).isEqualTo("token-2");
        assertThat(stored().next().orElseThrow().key()).isEqualTo("NEW");

        registry.thenToken("token-3", 900);
        assertThat(device().build().accessToken()).isEqualTo("token-3");
        assertThat(keyUsedIn(3)).isEqualTo("NEW");
    }
}
