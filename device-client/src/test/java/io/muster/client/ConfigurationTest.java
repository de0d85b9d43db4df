// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device asks for its configuration, and reports attributes. */
@Timeout(30)
class ConfigurationTest {

    private static final String RECORD = "{\"configuration\":{\"interval\":\"PT1M\"},\"configurationVersion\":\"%s\"}";

    @TempDir
    Path directory;

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private DeviceClient client;

    @BeforeEach
    void register() {
        registry.thenReceipt().thenToken("token-1", 900);
        client = registry.device(directory, new FakeTime()).build();
    }

    private void answer(String version) {
        registry.then(200, "application/json", RECORD.formatted(version), "ETag", "\"" + version + "\"");
    }

    @Test
    void configurationThatIsTheSameIsNotSentAgain() throws Exception {
        answer("v1");
        registry.thenStatus(304);
        answer("v2");

        DeviceConfiguration first = client.configuration();

        assertThat(first).isEqualTo(new DeviceConfiguration("v1", Map.of("interval", "PT1M")));
        assertThat(first.toString()).doesNotContain("PT1M");
        assertThat(client.configuration()).isEqualTo(first);
        assertThat(client.configuration().version()).isEqualTo("v2");
        assertThat(registry.requests().stream().skip(2).map(request -> request.header("If-none-match")))
                .containsExactly("", "\"v1\"", "\"v1\"");
    }

    @Test
    void registryWithoutVersions() throws Exception {
        registry.then(200, "application/json", "{\"configuration\":{}}");

        assertThat(client.configuration()).isEqualTo(new DeviceConfiguration("", Map.of()));
    }

    @Test
    void reportWhoseReplyWasLostIsSentAgain() throws Exception {
        registry.thenStatus(503);
        answer("v2");
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("firmware", null);
        attributes.put("gain", 2.5);

        assertThat(client.report(attributes).version()).isEqualTo("v2");

        assertThat(registry.requests().stream().skip(2).map(request -> request.method() + " " + request.path()))
                .containsExactly("PATCH /devices/me", "PATCH /devices/me");
        assertThat(registry.bodies().subList(2, 4))
                .allSatisfy(body -> assertThat(Json.readObject(body.getBytes(StandardCharsets.UTF_8)))
                        .isEqualTo(Map.of("attributes", Map.of("gain", new BigDecimal("2.5")))));
        assertThat(registry.bodies().get(3)).contains("\"firmware\":null");
    }

    @Test
    void refusalEndsTheReport() {
        registry.then(403, "application/problem+json", "{\"type\":\"urn:muster:problem:forbidden\",\"status\":403}");

        assertThatThrownBy(() -> client.report(Map.of("a", 1))).isInstanceOf(RefusedException.class);
    }
}
