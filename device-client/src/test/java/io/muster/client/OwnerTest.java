// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.api.DisplayCode;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A device learns whether it has an owner, and gets the code by which a user claims it. */
@Timeout(30)
class OwnerTest {

    private static final String CODE = "{\"code\":\"7ZQ4-02HV-N\",\"expiresAt\":\"2026-01-01T00:10:00Z\","
            + "\"url\":\"https://registry.example/claim#7ZQ402HVN\"}";

    @TempDir
    Path directory;

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private final FakeTime time = new FakeTime();
    private DeviceClient client;

    @BeforeEach
    void register() {
        registry.thenReceipt().thenToken("token-1", 900);
        client = registry.device(directory, time).build();
    }

    private void answer(int status, String body) {
        registry.then(status, "application/json", body);
    }

    private List<String> asked() {
        return registry.requests().stream()
                .skip(2)
                .map(request -> request.method() + " " + request.path() + " " + request.header("Authorization"))
                .toList();
    }

    @Test
    void deviceLearnsWhetherItIsOwned() throws Exception {
        answer(200, "{\"owned\":false}");
        answer(200, "{\"owned\":true}");
        answer(200, "{}");
        answer(200, "{\"owned\":\"true\"}");

        assertThat(client.isOwned()).isFalse();
        assertThat(client.isOwned()).isTrue();
        assertThat(client.isOwned()).isFalse();
        assertThat(client.isOwned()).isFalse();
        assertThat(asked()).hasSize(4).allMatch("GET /devices/me Bearer token-1"::equals);
    }

    @Test
    void codeForTheDisplay() throws Exception {
        answer(201, CODE);

        DisplayCode code = client.claimCode();

        assertThat(code)
                .isEqualTo(new DisplayCode(
                        "7ZQ4-02HV-N",
                        Instant.parse("2026-01-01T00:10:00Z"),
                        URI.create("https://registry.example/claim#7ZQ402HVN")));
        assertThat(code.toString()).doesNotContain("7ZQ4");
        assertThat(asked()).containsExactly("POST /devices/me/claim-code Bearer token-1");
        assertThat(registry.bodies().get(2).strip()).isEqualTo("{}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"code\":\"7ZQ4-02HV-N\",\"expiresAt\":\"soon\",\"url\":\"https://registry.example/claim\"}",
                "{\"code\":\"7ZQ4-02HV-N\",\"expiresAt\":\"2026-01-01T00:10:00Z\",\"url\":\"https://a b\"}"
            })
    void replyWithoutACodeIsNoAnswer(String body) throws Exception {
        answer(201, body);
        answer(201, CODE);

        assertThat(client.claimCode().code()).isEqualTo("7ZQ4-02HV-N");
    }

    /** A token with topics of the owner before is not good after the device has another. */
    @Test
    void tokenThatIsNoLongerGoodIsReplacedOnce() throws Exception {
        registry.thenStatus(401)
                .thenToken("token-2", 900)
                .then(200, "application/json", "{\"topics\":{\"publish\":[\"a\"],\"subscribe\":[]}}");
        MqttCredentials mqtt = client.mqttWithToken();
        mqtt.password();

        assertThat(mqtt.topics().publish()).containsExactly("a");
        assertThat(mqtt.isStale()).isTrue();
        assertThat(mqtt.password()).isEqualTo("token-2");
        assertThat(asked())
                .startsWith("GET /devices/me Bearer token-1")
                .endsWith("GET /devices/me Bearer token-2")
                .hasSize(3);
    }

    @Test
    void deviceThatIsRefusedWithANewTokenTooIsRefused() {
        registry.thenStatus(401).thenToken("token-2", 900).thenStatus(401);

        assertThatThrownBy(client::isOwned).isInstanceOfSatisfying(RefusedException.class, e -> assertThat(e.status())
                .isEqualTo(401));
        assertThat(asked()).hasSize(3);
    }

    @Test
    void fleetWithoutCodesRefuses() {
        registry.then(404, "application/problem+json", "{\"type\":\"urn:muster:problem:not-found\"}");

        assertThatThrownBy(client::claimCode).isInstanceOfSatisfying(RefusedException.class, e -> assertThat(e.type())
                .isEqualTo("not-found"));
    }
}
