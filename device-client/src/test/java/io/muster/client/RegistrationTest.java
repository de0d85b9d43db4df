// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDHEncrypter;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.util.Base64URL;
import com.sun.net.httpserver.HttpExchange;
import io.muster.api.Problem;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class RegistrationTest {

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private DeviceClient.Builder device() {
        return registry.device(directory, time).random(() -> 0L);
    }

    private Path file() {
        return directory.resolve("device.json");
    }

    @Test
    void deviceSendsItsSerialAndGetsAnIdentity() throws Exception {
        registry.thenReceipt();

        DeviceIdentity identity = device().build().register();

        assertThat(identity.deviceId()).isEqualTo("0190b6f0a1b27c3d8e4f5a6b7c8d9e0f");
        assertThat(identity.key()).isEqualTo("AKEY0123456789abcdef");
        assertThat(identity.secret()).isEqualTo(ScriptedRegistry.SECRET);
        assertThat(identity.serial()).isEqualTo("SN-0007");
        assertThat(identity.tags()).containsEntry("hall", "B");
        assertThat(identity.attributes()).hasSize(3).containsEntry("indoor", true);
        assertThat(identity.configuration()).containsEntry("interval", "PT30S");
        assertThat(identity.expiresAt()).isEqualTo("2026-11-24T00:00:00Z");
        ScriptedRegistry.Request request = registry.requests().get(0);
        assertThat(request.method()).isEqualTo("POST");
        assertThat(request.path()).isEqualTo("/register");
        assertThat(request.header("Content-type")).isEqualTo("application/json");
        assertThat(request.header("Accept")).isEqualTo("application/jose, application/json");
        assertThat(request.header("User-agent")).matches("muster-device/\\d.*");
        assertThat(Json.readObject(request.body().getBytes(StandardCharsets.UTF_8)))
                .containsEntry("serial", "SN-0007")
                .containsOnlyKeys("serial", "requestId", "replyKey");
        assertThat(time.sleeps()).isEmpty();
    }

    @Test
    void fleetAndEvidenceAreSent() throws Exception {
        registry.thenReceipt();

        device().fleet("hall b/7")
                .evidence(() -> Map.of("hmac", "ab\"cd", "chain", List.of("x", 1)))
                .build()
                .register();

        ScriptedRegistry.Request request = registry.requests().get(0);
        assertThat(request.path()).isEqualTo("/fleets/hall%20b%2F7/register");
        assertThat(Json.readObject(request.body().getBytes(StandardCharsets.UTF_8))
                        .get("evidence"))
                .isEqualTo(Map.of("hmac", "ab\"cd", "chain", List.of("x", 1)));
    }

    @Test
    void pathOfTheRegistryIsKept() throws Exception {
        registry.thenReceipt();

        device().registry(URI.create(registry.uri() + "/muster/")).build().register();

        assertThat(registry.requests().get(0).path()).isEqualTo("/muster/register");
    }

    @Test
    void secondCallAndSecondProcessAskNobody() throws Exception {
        registry.thenReceipt();
        DeviceClient client = device().build();

        DeviceIdentity first = client.register();
        DeviceIdentity second = client.register();
        DeviceIdentity afterRestart = device().evidence(() -> {
                    throw new AssertionError("evidence is not needed any more");
                })
                .build()
                .register();

        assertThat(second).isSameAs(first);
        assertThat(afterRestart).isEqualTo(first);
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void identityIsOnDiskBeforeItIsReturned() throws Exception {
        registry.thenReceipt();

        DeviceIdentity identity = device().build().register();

        assertThat(CredentialStore.at(file()).load()).contains(identity);
    }

    @Test
    void identityIsEmptyBeforeRegistrationAndAsksNobody() throws Exception {
        assertThat(device().build().identity()).isEmpty();
        assertThat(registry.requests()).isEmpty();
    }

    @Test
    void storeThatCannotBeWrittenFailsBeforeTheRegistryIsAsked() throws Exception {
        Files.writeString(directory.resolve("a-file"), "");

        DeviceClient client =
                device().store(directory.resolve("a-file/device.json")).build();

        assertThatThrownBy(client::register).isInstanceOf(IOException.class);
        assertThat(registry.requests()).isEmpty();
    }

    @Test
    void damagedStoreIsNeverRegisteredOver() throws Exception {
        registry.thenReceipt();
        Files.writeString(file(), "{\"format\":1,\"secret\":\"half-a-secr");

        assertThatThrownBy(() -> device().build().register())
                .isInstanceOf(CredentialStore.UnusableException.class)
                .hasMessageContaining("device.json")
                .hasMessageNotContaining("half-a-secr");
        assertThat(registry.requests()).isEmpty();
        assertThat(file()).content().contains("half-a-secr");
    }

    @Test
    void identityOfAnotherSerialIsNotUsed() throws Exception {
        registry.thenReceipt();
        device().build().register();

        assertThatThrownBy(() -> device().serial("SN-0008").build().register())
                .isInstanceOf(CredentialStore.UnusableException.class)
                .hasMessageContaining("another serial");
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void registrationWithoutAddressOrSerialIsAProgrammingError() {
        DeviceClient client = DeviceClient.builder().store(file()).build();

        assertThatThrownBy(client::register).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void refusalIsReportedOnceAndInFull() {
        registry.then(
                400,
                Problem.MEDIA_TYPE,
                """
                {"type":"urn:muster:problem:invalid-request","title":"x","status":400,"detail":"see errors",
                 "instance":"urn:uuid:0190b6f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
                 "errors":[{"pointer":"#/serial","detail":"too short"},{"pointer":"#/evidence","detail":"not an object"}]}""");

        RefusedException refused = catchThrowableOfType(
                RefusedException.class, () -> device().build().register());

        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.type()).isEqualTo("invalid-request");
        assertThat(refused.detail()).isEqualTo("see errors");
        assertThat(refused.faults())
                .containsExactly(
                        new Problem.Fault("#/serial", "too short"), new Problem.Fault("#/evidence", "not an object"));
        assertThat(refused)
                .hasMessageContainingAll(
                        "400",
                        "invalid-request",
                        "The request is not valid",
                        "urn:uuid:0190b6f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f");
        assertThat(registry.requests()).hasSize(1);
        assertThat(file()).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 405, 409, 413, 415, 422, 451})
    void refusalWithoutAProblemIsStillARefusal(int status) {
        registry.then(status, "text/html", "<h1>no</h1>");

        RefusedException refused = catchThrowableOfType(
                RefusedException.class, () -> device().build().register());

        assertThat(refused.status()).isEqualTo(status);
        assertThat(refused.type()).isEqualTo("about:blank");
        assertThat(registry.requests()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {202, 204, 301, 302, 303, 307, 308, 408, 429, 500, 501, 502, 503, 504, 599})
    void whatIsNoAnswerIsAskedAgain(int status) throws Exception {
        registry.thenStatus(status, "Location", registry.uri() + "/elsewhere").thenReceipt();

        device().build().register();

        assertThat(registry.requests())
                .extracting(ScriptedRegistry.Request::path)
                .containsExactly("/register", "/register");
    }

    @Test
    void deviceThatIsNotDecidedUponWaitsAsToldHoweverOftenItAsked() throws Exception {
        for (int i = 0; i < 20; i++) {
            registry.then(202, "application/json", "{\"status\":\"pending\"}", "Retry-After", "60");
        }
        registry.thenReceipt();

        registry.device(directory, time).random(() -> -1L).build().register();

        assertThat(time.sleeps()).hasSize(20).allSatisfy(wait -> assertThat(wait)
                .isBetween(Duration.ofSeconds(60), Duration.ofSeconds(90)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", ""})
    void deviceThatIsNotToldHowLongToWaitWaitsForAMinute(String retryAfter) throws Exception {
        registry.then(202, "application/json", "{}", "Retry-After", retryAfter).thenReceipt();

        device().build().register();

        assertThat(time.sleeps()).containsExactly(Duration.ofMinutes(1));
    }

    @Test
    void deviceThatWaitsIsTheSameCandidateAfterARestart() throws Exception {
        String pending = "{\"status\":\"pending\"}";
        registry.then(202, "application/json", pending, "Retry-After", "60")
                .then(202, "application/json", pending, "Retry-After", "60")
                .thenReceipt();
        DeviceClient first = device().giveUpAfter(Duration.ofSeconds(30)).build();
        assertThatThrownBy(first::register)
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("it has not decided yet")
                .satisfies(
                        e -> assertThat(((UnavailableException) e).retryAfter()).isEqualTo(Duration.ofSeconds(60)));

        device().build().register();

        assertThat(registry.requests())
                .extracting(request -> Json.readObject(request.body().getBytes(StandardCharsets.UTF_8)))
                .hasSize(3)
                .extracting(body -> List.of(body.get("requestId"), body.get("replyKey")))
                .satisfies(all -> assertThat(all.stream().distinct()).hasSize(1));
    }

    @Test
    void repeatsOfOneCallHaveOneRequestIdAndFreshEvidence() throws Exception {
        registry.thenStatus(503).thenStatus(503).thenReceipt();
        AtomicInteger serial = new AtomicInteger();

        device().evidence(() -> Map.of("jwt", "no. " + serial.incrementAndGet()))
                .build()
                .register();

        assertThat(registry.requests())
                .extracting(request -> Json.readObject(request.body().getBytes(StandardCharsets.UTF_8)))
                .satisfies(bodies -> assertThat(bodies.stream()
                                .map(body -> body.get("requestId"))
                                .distinct())
                        .hasSize(1))
                .extracting(body -> body.get("evidence"))
                .containsExactly(Map.of("jwt", "no. 1"), Map.of("jwt", "no. 2"), Map.of("jwt", "no. 3"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<html>Please log in to the hotel</html>",
                "",
                "[]",
                "null",
                "{\"deviceId\":\"d\",\"key\":\"k\"}",
                "{\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"\"}",
                "{\"deviceId\":\"d\",\"key\":7,\"secret\":\"s\"}",
                "{\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"s\"} {}",
                "{\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"s\",\"secret\":\"t\"}",
                "{\"deviceId\":\"d\",\"key\":\"k\",\"secret\":\"s\""
            })
    void replyThatIsNoReceiptIsNotStoredAndAskedAgain(String body) throws Exception {
        registry.then(200, "application/json", body).thenReceipt();

        DeviceIdentity identity = device().build().register();

        assertThat(identity.secret()).isEqualTo(ScriptedRegistry.SECRET);
        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void contentTypeThatLiesDoesNotMatter() throws Exception {
        registry.then(200, "text/html", ScriptedRegistry.RECEIPT);

        assertThat(device().build().register().key()).isEqualTo("AKEY0123456789abcdef");
    }

    @Test
    void threeMembersAreEnoughAndOthersOfTheWrongTypeAreIgnored() throws Exception {
        registry.then(
                200,
                "application/json",
                """
                {"deviceId":"d","key":"k","secret":"s","fleet":7,"tags":["x"],"attributes":{"a":{"b":1},"c":null,"d":1},
                 "configuration":"none","expiresAt":"tomorrow","links":{"token":5}}""");

        DeviceIdentity identity = device().build().register();

        assertThat(identity.fleet()).isNull();
        assertThat(identity.expiresAt()).isNull();
        assertThat(identity.tags()).isEmpty();
        assertThat(identity.attributes()).isEqualTo(Map.of("d", 1));
        assertThat(identity.links()).isEmpty();
    }

    @Test
    void sealedReplyIsOpenedAndOneForAnotherKeyOrDamagedIsAskedForAgain() throws Exception {
        ECKey another = ECKey.parse(Map.copyOf(JoseKey.generate(KeyKind.P256).jwk()));
        registry.then(exchange -> seal(exchange, another, 0))
                .then(exchange -> seal(exchange, replyKey(), 1))
                .then(exchange -> seal(exchange, replyKey(), 0));

        DeviceIdentity identity = device().build().register();

        assertThat(identity.secret()).isEqualTo(ScriptedRegistry.SECRET);
        assertThat(registry.requests()).hasSize(3);
    }

    private ECKey replyKey() throws IOException {
        Map<?, ?> jwk =
                (Map<?, ?>) Json.readObject(registry.requests().get(0).body().getBytes(StandardCharsets.UTF_8))
                        .get("replyKey");
        return new ECKey.Builder(
                        Curve.P_256, new Base64URL((String) jwk.get("x")), new Base64URL((String) jwk.get("y")))
                .build();
    }

    private static void seal(HttpExchange exchange, ECKey key, int missing) throws IOException {
        JWEObject jwe = new JWEObject(
                new JWEHeader(JWEAlgorithm.ECDH_ES, EncryptionMethod.A256GCM), new Payload(ScriptedRegistry.RECEIPT));
        try {
            jwe.encrypt(new ECDHEncrypter(key));
        } catch (JOSEException e) {
            throw new IOException(e);
        }
        byte[] whole = jwe.serialize().getBytes(StandardCharsets.US_ASCII);
        exchange.getResponseHeaders().set("Content-Type", "application/jose");
        exchange.sendResponseHeaders(200, whole.length - missing);
        exchange.getResponseBody().write(whole, 0, whole.length - missing);
    }

    @Test
    void replyOver64KiBIsNotReadToItsEnd() throws Exception {
        AtomicInteger written = new AtomicInteger();
        registry.then(exchange -> {
                    exchange.sendResponseHeaders(200, 0);
                    byte[] blanks = " ".repeat(8192).getBytes(StandardCharsets.US_ASCII);
                    for (int i = 0; i < 100_000; i++) {
                        exchange.getResponseBody().write(blanks); // fails when the client hangs up
                        written.addAndGet(blanks.length);
                    }
                })
                .thenReceipt();

        device().build().register();

        assertThat(registry.requests()).hasSize(2);
        assertThat(written.get()).isLessThan(100_000 * 8192);
    }

    @Test
    void replyOfExactly64KiBIsRead() throws Exception {
        registry.then(
                200,
                "application/json",
                ScriptedRegistry.RECEIPT
                        + " ".repeat(64 * 1024 - ScriptedRegistry.RECEIPT.getBytes(StandardCharsets.UTF_8).length));

        device().build().register();

        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void deeplyNestedReplyIsNoReceipt() throws Exception {
        registry.then(200, "application/json", "{\"a\":" + "[".repeat(20_000)).thenReceipt();

        device().build().register();

        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void registryThatNeverAnswersIsGivenUpAndAskedAgain() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        registry.then(exchange -> await(end)).thenReceipt();

        device().requestTimeout(Duration.ofMillis(300)).build().register();
        end.countDown();

        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void bodyThatStallsAfterTheHeadersIsGivenUpToo() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        registry.then(exchange -> {
                    exchange.sendResponseHeaders(200, 5000);
                    exchange.getResponseBody().write("{\"deviceId\":".getBytes(StandardCharsets.US_ASCII));
                    exchange.getResponseBody().flush();
                    await(end);
                })
                .thenReceipt();

        device().requestTimeout(Duration.ofMillis(300)).build().register();
        end.countDown();

        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void connectionThatBreaksAnywhereInTheReplyIsALostReply() throws Exception {
        String reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                + ScriptedRegistry.RECEIPT.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n"
                + ScriptedRegistry.RECEIPT;
        try (BreakingServer server = new BreakingServer(
                "", "HTTP/1.1 20", reply.substring(0, 60), reply.substring(0, 140), reply.substring(0, 400), reply)) {

            DeviceIdentity identity = device().registry(server.uri()).build().register();

            assertThat(identity.secret()).isEqualTo(ScriptedRegistry.SECRET);
            assertThat(server.unsent()).isEmpty();
        }
    }

    @Test
    void closedPortIsTriedAgainUntilTheLimit() throws Exception {
        URI nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = URI.create("http://localhost:" + socket.getLocalPort());
        }

        assertThatThrownBy(() -> device().registry(nobody)
                        .giveUpAfter(Duration.ofSeconds(20))
                        .random(() -> -1L)
                        .build()
                        .register())
                .isInstanceOf(UnavailableException.class)
                .hasMessageContainingAll("PT20S", "ConnectException");
        assertThat(time.sleeps()).hasSize(4); // 1 + 2 + 4 + 8 s; the next 16 s would be too long
        assertThat(file()).doesNotExist();
    }

    @Test
    void threadsThatShareAStoreRegisterOnce() throws Exception {
        registry.thenReceipt();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            DeviceClient shared = device().build();
            List<Future<DeviceIdentity>> results = threads.invokeAll(List.of(
                    shared::register,
                    shared::register,
                    device().build()::register,
                    device().build()::register,
                    shared::register,
                    device().build()::register,
                    device().build()::register,
                    shared::register));
            for (Future<DeviceIdentity> result : results) {
                assertThat(result.get().secret()).isEqualTo(ScriptedRegistry.SECRET);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void processesThatShareAStoreRegisterOnce() throws Exception {
        registry.thenReceipt();

        Process first = Processes.start(Processes.Register.class, registry.uri().toString(), file().toString());
        Process second =
                Processes.start(Processes.Register.class, registry.uri().toString(), file().toString());

        assertThat(Processes.output(first)).isEqualTo("0190b6f0a1b27c3d8e4f5a6b7c8d9e0f");
        assertThat(Processes.output(second)).isEqualTo("0190b6f0a1b27c3d8e4f5a6b7c8d9e0f");
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void interruptEndsTheWait() throws Exception {
        registry.thenStatus(503);
        DeviceClient client = device().waiting(new Waiting() {
                    @Override
                    public long nanoTime() {
                        return 0;
                    }

                    @Override
                    public Instant deviceTime() {
                        return Instant.EPOCH;
                    }

                    @Override
                    public void sleep(Duration duration) throws InterruptedException {
                        if (!duration.isZero()) {
                            throw new InterruptedException();
                        }
                    }
                })
                .random(() -> -1L)
                .build();

        assertThatThrownBy(client::register).isInstanceOf(InterruptedException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://registry.example",
                "http://127.0.0.1.registry.example",
                "http://localhost.registry.example",
                "http://192.168.0.1:8080",
                "HTTP://registry.example",
                "ftp://registry.example",
                "registry.example",
                "https:///register",
                "https://user:pass@registry.example",
                "https://registry.example/?tenant=7",
                "https://registry.example/#x"
            })
    void addressThatIsNotSafeIsRefusedAtOnce(String address) {
        assertThatThrownBy(() -> device().registry(URI.create(address)).build())
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://registry.example:8443/muster",
                "http://localhost:1",
                "http://127.0.0.1",
                "http://[::1]:8080"
            })
    void httpsAndLoopbackAreAccepted(String address) {
        assertThat(device().registry(URI.create(address)).build()).isNotNull();
    }

    @Test
    void plainHttpToAnotherHostHasToBeAllowed() {
        assertThat(device().registry(URI.create("http://registry.example"))
                        .allowPlainHttp()
                        .build())
                .isNotNull();
    }

    private static void await(CountDownLatch end) throws IOException {
        try {
            end.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
