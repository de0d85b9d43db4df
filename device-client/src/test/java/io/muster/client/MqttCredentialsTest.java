// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class MqttCredentialsTest {

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private DeviceClient client;

    @BeforeEach
    void start() {
        client = device().build();
    }

    private DeviceClient.Builder device() {
        return registry.device(directory, time);
    }

    @Test
    void passwordIsTheSecretAndStaysFresh() throws Exception {
        registry.thenReceipt();
        MqttCredentials mqtt = client.mqtt();

        assertThat(mqtt.isStale()).isTrue(); // there was none yet
        assertThat(mqtt.clientId()).isEqualTo("0190b6f0a1b27c3d8e4f5a6b7c8d9e0f");
        assertThat(mqtt.userName()).isEqualTo("AKEY0123456789abcdef");
        assertThat(mqtt.password()).isEqualTo(ScriptedRegistry.SECRET);
        time.pass(Duration.ofDays(1));
        assertThat(mqtt.isStale()).isFalse();
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void passwordIsTheTokenWhereThatIsAskedForAndGoesStaleWhenItIsRenewed() throws Exception {
        registry.thenReceipt().thenToken("token-1", 900).thenToken("token-2", 900);
        MqttCredentials mqtt = client.mqttWithToken();

        assertThat(mqtt.password()).isEqualTo("token-1");
        assertThat(mqtt.isStale()).isFalse();
        time.pass(Duration.ofMinutes(12));
        assertThat(mqtt.isStale()).isTrue();
        assertThat(mqtt.password()).isEqualTo("token-2");
        assertThat(mqtt.isStale()).isFalse();
    }

    @Test
    void deviceWithAKeyAlwaysGivesTheToken() throws Exception {
        registry.then(200, "application/json", "{\"nonce\":\"N-1\"}")
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"k\"}")
                .thenToken("token-1", 900);

        assertThat(device().deviceKey().build().mqtt().password()).isEqualTo("token-1");
    }

    @Test
    void rotationMakesUserNameAndPasswordNew() throws Exception {
        registry.thenReceipt()
                .then(200, "application/json", "{\"deviceId\":\"d\",\"key\":\"NEW\",\"secret\":\"new-secret\"}")
                .thenToken("token-2", 900);
        MqttCredentials mqtt = client.mqtt();
        mqtt.password();

        client.rotate();

        assertThat(mqtt.isStale()).isTrue();
        assertThat(mqtt.userName()).isEqualTo("NEW");
        assertThat(mqtt.password()).isEqualTo("new-secret");
    }

    @Test
    void topicsAreWhatTheRegistrySaysNow() throws Exception {
        registry.thenReceipt()
                .thenToken("token-1", 900)
                .then(
                        200,
                        "application/json",
                        "{\"topics\":{\"publish\":[\"a/state\",\"b\"],\"subscribe\":[]},\"x\":1}")
                .thenStatus(503)
                .then(200, "application/json", "{\"topics\":{\"publish\":[],\"subscribe\":[\"c\"]}}");
        MqttCredentials mqtt = client.mqtt();

        assertThat(mqtt.topics()).isEqualTo(new MqttTopics(List.of("a/state", "b"), List.of()));
        assertThat(mqtt.topics()).isEqualTo(new MqttTopics(List.of(), List.of("c")));
        ScriptedRegistry.Request asked = registry.requests().get(2);
        assertThat(asked.method() + " " + asked.path()).isEqualTo("GET /devices/me");
        assertThat(asked.header("Authorization")).isEqualTo("Bearer token-1");
    }

    @Test
    void registryThatTellsNoTopicsGivesNoAnswer() {
        for (Map<String, Object> record : List.<Map<String, Object>>of(
                Map.of(),
                Map.of("topics", List.of()),
                Map.of("topics", Map.of("publish", List.of())),
                Map.of("topics", Map.of("publish", List.of(), "subscribe", List.of(7))))) {
            assertThatThrownBy(() -> MqttTopics.read(record)).isInstanceOf(NoAnswer.class);
        }
    }

    @Test
    void sourceOfTokensCanBeAnythingAndNamesItsScheme() throws Exception {
        TokenSource fixed = () -> "abc";
        registry.thenReceipt().thenToken("token-1", 900);

        assertThat(fixed.bearer()).isEqualTo("Bearer abc");
        assertThat(client.bearer()).isEqualTo("Bearer token-1");
    }
}
