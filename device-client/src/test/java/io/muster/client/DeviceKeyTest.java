// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.util.Base64URL;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(30)
class DeviceKeyTest {

    private static final String RECEIPT = "{\"deviceId\":\"d\",\"key\":\"AKEY7\"}";

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private DeviceClient.Builder device() {
        return registry.device(directory, time)
                .deviceKey()
                .giveUpAfter(Duration.ofMinutes(2))
                .random(() -> 0L);
    }

    private Path file() {
        return directory.resolve("device.json");
    }

    private ScriptedRegistry thenNonce(String nonce) {
        return registry.then(200, "application/json", "{\"nonce\":\"" + nonce + "\"}");
    }

    private ScriptedRegistry thenKeyReceipt() {
        return registry.then(200, "application/json", RECEIPT);
    }

    private Map<String, Object> body(int request) throws IOException {
        return Json.readObject(registry.requests().get(request).body().getBytes(StandardCharsets.UTF_8));
    }

    private Map<String, Object> assertion(int request) throws Exception {
        Map<String, String> form =
                FaithfulRegistry.form(registry.requests().get(request).body());
        assertThat(form.get("grant_type")).isEqualTo("client_credentials");
        assertThat(form.get("client_assertion_type"))
                .isEqualTo("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        JWSObject assertion = JWSObject.parse(form.get("client_assertion"));
        assertThat(FaithfulRegistry.isSigned(assertion, publicKey())).isTrue();
        assertThat(registry.requests().get(request).headers()).doesNotContainKey("Authorization");
        return assertion.getPayload().toJSONObject();
    }

    private JWK publicKey() throws Exception {
        StoreContent stored = CredentialStore.at(file()).loadAll().orElseThrow();
        return JWK.parse(Map.copyOf(stored.deviceKey().orElseThrow().jwk()));
    }

    @ParameterizedTest
    @EnumSource
    void publicHalfIsSentWithAProofAndThereIsNoSecret(KeyKind kind) throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();

        DeviceIdentity identity = device().deviceKey(kind).build().register();

        assertThat(identity.key()).isEqualTo("AKEY7");
        assertThat(identity.secret()).isNull();
        assertThat(registry.requests())
                .extracting(ScriptedRegistry.Request::path)
                .containsExactly("/nonce", "/register");
        Map<?, ?> sent = (Map<?, ?>) body(1).get("publicKey");
        assertThat(JWK.parse(new String(Json.write(Map.of("k", sent)), StandardCharsets.UTF_8)
                        .replaceFirst("^\\{\"k\":(.*)}\\s*$", "$1")))
                .isEqualTo(publicKey());
        assertThat(sent.containsKey("d")).isFalse();
        JWSObject proof = JWSObject.parse((String) body(1).get("proof"));
        assertThat(FaithfulRegistry.isSigned(proof, publicKey())).isTrue();
        assertThat(proof.getHeader().getType().getType()).isEqualTo("muster-proof+jwt");
        assertThat(proof.getPayload().toJSONObject())
                .isEqualTo(Map.of(
                        "serial",
                        "SN-0007",
                        "fleet",
                        "default",
                        "aud",
                        registry.uri().toString(),
                        "nonce",
                        "N-1"));
    }

    @Test
    void keyIsOnTheDiskBeforeAnythingIsAsked() throws Exception {
        registry.then(exchange -> {
            Path pending = directory.resolve("device.json.pending");
            Map<String, Object> json = Json.readObject(Files.readAllBytes(pending));
            assertThat(json).containsKeys("requestId", "replyKey", "deviceKey");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(pending)))
                    .isEqualTo("rw-------");
            byte[] reply = "{\"nonce\":\"N-1\"}".getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        });
        thenKeyReceipt();

        device().build().register();

        assertThat(directory.resolve("device.json.pending")).doesNotExist();
        assertThat(directory.resolve("device.json.tmp")).doesNotExist();
    }

    @Test
    void processThatStartsAgainMakesTheSameRequestWithTheSameKeys() throws Exception {
        thenNonce("N-1").thenStatus(503);
        assertThatThrownBy(() -> device().giveUpAfter(Duration.ofMillis(500))
                        .random(() -> -1L)
                        .build()
                        .register())
                .isInstanceOf(UnavailableException.class);
        thenNonce("N-2");
        thenKeyReceipt();

        device().build().register();

        for (String member : new String[] {"requestId", "replyKey", "publicKey"}) {
            assertThat(body(3).get(member)).as(member).isNotNull().isEqualTo(body(1).get(member));
        }
        assertThat(body(3).get("proof")).isNotEqualTo(body(1).get("proof"));
    }

    @Test
    void attemptForAnotherSerialIsNotGoneOnWith() throws Exception {
        thenNonce("N-1").thenStatus(403);
        assertThatThrownBy(() -> device().serial("SN-0008").build().register()).isInstanceOf(RefusedException.class);
        thenNonce("N-2");
        thenKeyReceipt();

        device().build().register();

        assertThat(body(3).get("requestId")).isNotEqualTo(body(1).get("requestId"));
        assertThat(body(3).get("publicKey")).isNotEqualTo(body(1).get("publicKey"));
    }

    @Test
    void attemptThatCannotBeReadIsReplaced() throws Exception {
        Files.writeString(directory.resolve("device.json.pending"), "{\"format\":1,\"serial\":\"SN-0007\",");
        thenNonce("N-1");
        thenKeyReceipt();

        device().build().register();

        assertThat(directory.resolve("device.json.pending")).doesNotExist();
    }

    @Test
    void registryThatGivesASecretAllTheSameIsUsedWithThat() throws Exception {
        thenNonce("N-1").thenReceipt().thenToken("token-1", 900);
        DeviceClient client = device().build();

        assertThat(client.register().secret()).isEqualTo(ScriptedRegistry.SECRET);
        client.accessToken();

        assertThat(registry.requests().get(2).header("Authorization")).startsWith("Basic ");
        assertThat(CredentialStore.at(file()).loadAll().orElseThrow().deviceKey())
                .isEmpty();
        assertThat(file()).content().contains("\"format\":1");
    }

    @Test
    void receiptWithoutSecretIsNoneWhereNoKeyWasSent() throws Exception {
        registry.then(200, "application/json", RECEIPT).thenReceipt();

        DeviceClient.builder()
                .registry(registry.uri())
                .serial("SN-0007")
                .store(file())
                .waiting(time)
                .build()
                .register();

        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void tokenIsAskedForWithASignatureByTheTimeThatTheRegistryTold() throws Exception {
        Instant began = Instant.now(); // the scripted server's own clock, which it sends
        thenNonce("N-1");
        thenKeyReceipt().thenToken("token-1", 900);

        assertThat(device().build().accessToken()).isEqualTo("token-1");

        Map<String, Object> claims = assertion(2);
        assertThat(claims)
                .containsEntry("iss", "AKEY7")
                .containsEntry("sub", "AKEY7")
                .containsEntry("aud", registry.uri().toString())
                .containsKey("jti")
                .doesNotContainKey("nonce");
        long iat = ((Number) claims.get("iat")).longValue();
        assertThat(iat).isBetween(began.getEpochSecond() - 2, began.getEpochSecond() + 30);
        assertThat(((Number) claims.get("exp")).longValue()).isEqualTo(iat + 120);
    }

    @Test
    void deviceThatThinksItIs1970AsksForANonceFirst() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        device().build().register();
        thenNonce("N-2").thenToken("token-1", 900);

        assertThat(device().build().accessToken()).isEqualTo("token-1");

        assertThat(registry.requests())
                .extracting(ScriptedRegistry.Request::path)
                .containsExactly("/nonce", "/register", "/nonce", "/token");
        assertThat(assertion(3)).containsEntry("nonce", "N-2");
    }

    @Test
    void deviceWhoseClockIsPlausibleButWrongGetsATokenWithANonceAfterTheRefusal() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        device().build().register();
        time.deviceThinksItIs(Instant.parse("2031-01-01T00:00:00Z"));
        registry.then(401, "application/json", "{\"error\":\"invalid_client\"}");
        thenNonce("N-2").thenToken("token-1", 900);
        thenNonce("N-3").thenToken("token-2", 900);
        DeviceClient client = device().build();

        assertThat(client.accessToken()).isEqualTo("token-1");
        time.pass(Duration.ofMinutes(15));
        assertThat(client.accessToken()).isEqualTo("token-2");

        assertThat(assertion(2)).doesNotContainKey("nonce").containsEntry("iat", 1924992000L);
        assertThat(assertion(4)).containsEntry("nonce", "N-2");
        assertThat(assertion(6)).containsEntry("nonce", "N-3"); // and no refusal first
    }

    @Test
    void rotationIsAskedForWithAnAssertionAndWithANonceIfTheTimeIsNotBelieved() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        device().build().register();
        JWK before = publicKey();
        time.deviceThinksItIs(Instant.parse("2031-01-01T00:00:00Z"));
        thenNonce("N-2").then(401, "application/problem+json", "{\"type\":\"urn:muster:problem:unauthorized\"}");
        thenNonce("N-3");
        thenNonce("N-4").then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"NEW\"}");
        thenNonce("N-5").thenToken("token-1", 900);

        DeviceIdentity rotated = device().dpop().build().rotate();

        assertThat(rotated.key()).isEqualTo("NEW");
        assertThat(registry.requests().stream()
                        .map(ScriptedRegistry.Request::path)
                        .skip(2))
                .containsExactly(
                        "/nonce",
                        "/devices/me/credentials",
                        "/nonce",
                        "/nonce",
                        "/devices/me/credentials",
                        "/nonce",
                        "/token");
        assertThat(rotationAssertion(3, before)).containsEntry("iss", "AKEY7").doesNotContainKey("nonce");
        assertThat(rotationAssertion(6, before)).containsEntry("nonce", "N-4");
        assertThat(assertion(8)).containsEntry("sub", "NEW").containsEntry("nonce", "N-5");
    }

    private Map<String, Object> rotationAssertion(int request, JWK key) throws Exception {
        assertThat(registry.requests().get(request).headers()).doesNotContainKeys("Authorization", "Dpop");
        JWSObject assertion = JWSObject.parse((String) body(request).get("clientAssertion"));
        assertThat(FaithfulRegistry.isSigned(assertion, key)).isTrue();
        return assertion.getPayload().toJSONObject();
    }

    @Test
    void disabledDeviceIsToldSoAfterTwoRequests() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        registry.then(401, "application/json", "{\"error\":\"invalid_client\"}");
        thenNonce("N-2").then(401, "application/json", "{\"error\":\"invalid_client\"}");

        assertThatThrownBy(device().build()::accessToken)
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.type()).isEqualTo("invalid_client"));
        assertThat(registry.requests()).hasSize(5);
    }

    @Test
    void registryWithoutNoncesHasSaidWhyAtFirst() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        registry.then(401, "application/json", "{\"error\":\"invalid_client\"}").thenStatus(404);

        assertThatThrownBy(device().build()::accessToken)
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.type()).isEqualTo("invalid_client"));
    }

    @Test
    void audienceOfTheRegistrationIsKeptForTheTokens() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        device().audience(URI.create("https://registry.example/")).build().register();
        thenNonce("N-2").thenToken("token-1", 900);

        DeviceClient.builder().store(file()).waiting(time).build().accessToken();

        assertThat(assertion(3)).containsEntry("aud", "https://registry.example");
    }

    @Test
    void storedKeyIsReadableByClientsThatKnowKeysOnly() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        device().build().register();

        assertThat(file()).content().contains("\"format\":2", "\"privateKey\":\"");
        byte[] whole = Files.readAllBytes(file());
        for (int length = 0; length < whole.length - 1; length++) {
            Files.write(file(), java.util.Arrays.copyOf(whole, length));

            assertThatThrownBy(() -> CredentialStore.at(file()).load())
                    .as("cut to %d bytes", length)
                    .isInstanceOf(CredentialStore.UnusableException.class)
                    .hasNoCause();
        }
    }

    @Test
    void dpopTokenIsBoundToTheKeyAndProvedAtEachUse() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt();
        registry.then(400, "application/json", "{\"error\":\"use_dpop_nonce\"}", "DPoP-Nonce", "D-1")
                .then(
                        200,
                        "application/json",
                        "{\"access_token\":\"token-1\",\"token_type\":\"DPoP\",\"expires_in\":900}",
                        "DPoP-Nonce",
                        "D-2");
        DeviceClient client = device().dpop().build();

        HttpRequest request = client.authorized(HttpRequest.newBuilder(URI.create("https://api.example/v1/x?q=1#f"))
                .header("Authorization", "none")
                .header("X-Own", "kept")
                .DELETE()
                .build());

        Map<String, Object> refused = dpop(registry.requests().get(2).header("Dpop"));
        Map<String, Object> proved = dpop(registry.requests().get(3).header("Dpop"));
        assertThat(refused)
                .containsEntry("htm", "POST")
                .containsEntry("htu", registry.uri() + "/token")
                .doesNotContainKey("nonce");
        assertThat(proved).containsEntry("nonce", "D-1");
        assertThat(proved.get("jti")).isNotEqualTo(refused.get("jti"));
        assertThat(assertion(3).get("jti")).isNotEqualTo(assertion(2).get("jti"));

        assertThat(request.method()).isEqualTo("DELETE");
        assertThat(request.headers().allValues("Authorization")).containsExactly("DPoP token-1");
        assertThat(request.headers().firstValue("X-Own")).contains("kept");
        Map<String, Object> used = dpop(request.headers().firstValue("DPoP").orElseThrow());
        assertThat(used)
                .containsEntry("htm", "DELETE")
                .containsEntry("htu", "https://api.example/v1/x")
                .containsEntry(
                        "ath",
                        Base64URL.encode(MessageDigest.getInstance("SHA-256")
                                        .digest("token-1".getBytes(StandardCharsets.US_ASCII)))
                                .toString());
        assertThatThrownBy(client::bearer).isInstanceOf(IllegalStateException.class);
    }

    private Map<String, Object> dpop(String proof) throws Exception {
        JWSObject object = JWSObject.parse(proof);
        assertThat(object.getHeader().getType().getType()).isEqualTo("dpop+jwt");
        assertThat(object.getHeader().getJWK()).isEqualTo(publicKey());
        assertThat(FaithfulRegistry.isSigned(object, publicKey())).isTrue();
        return object.getPayload().toJSONObject();
    }

    @Test
    void dpopWithoutAKeyIsAProgrammingError() throws Exception {
        registry.thenReceipt();
        DeviceClient client = DeviceClient.builder()
                .registry(registry.uri())
                .serial("SN-0007")
                .store(file())
                .dpop()
                .build();

        assertThatThrownBy(client::accessToken).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void nothingPrintsTheKey() throws Exception {
        thenNonce("N-1");
        thenKeyReceipt().thenToken("token-1", 900);
        DeviceClient client = device().build();
        client.accessToken();
        StoreContent stored = CredentialStore.at(file()).loadAll().orElseThrow();
        String key = (String) stored.deviceKey().orElseThrow().write().get("privateKey");

        assertThat(file()).content().contains(key);
        assertThat(client + " " + client.mqtt() + stored + stored.credential() + stored.deviceKey()
                        + CredentialRequest.begin("s", Optional.empty(), Optional.empty(), Optional.of(KeyKind.P256)))
                .doesNotContain(key)
                .doesNotContain("token-1")
                .doesNotContain("privateKey");
    }
}
