// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operators change and delete devices, and read what happened to them, over HTTP. */
@Tag("portable")
class DeviceLifecycleIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static final String MERGE_PATCH = "application/merge-patch+json";

    private static Reply send(String method, String id, String type, String body, String... headers) {
        List<String> all = new ArrayList<>(List.of(REGISTRY.asOperator()));
        if (!body.isEmpty()) {
            all.addAll(List.of("Content-Type", type));
        }
        all.addAll(List.of(headers));
        return REGISTRY.send(
                method, "api/v1/devices/" + id, body.getBytes(StandardCharsets.UTF_8), all.toArray(String[]::new));
    }

    private static Reply patch(Registered device, String body, String... headers) {
        return send("PATCH", device.deviceId(), MERGE_PATCH, body, headers);
    }

    private static Reply get(Registered device, String more) {
        return REGISTRY.get("api/v1/devices/" + device.deviceId() + more, REGISTRY.asOperator());
    }

    @Test
    void deviceIsChangedMemberByMemberAndOnlyAsItWasRead() {
        Registered device = REGISTRY.newDevice();
        String read = get(device, "").header("ETag").orElseThrow();

        Reply changed = patch(
                device,
                "{\"name\":\"Boiler\",\"tags\":{\"room\":\"12\"},\"attributes\":{\"limit\":21.5,\"on\":true}}",
                "If-Match",
                read);
        assertThat(changed.status()).as(changed.toString()).isEqualTo(200);
        assertThat(changed.header("ETag")).isPresent().isNotEqualTo(java.util.Optional.of(read));
        JsonNode view = get(device, "").json();
        assertThat(view.path("name").asText()).isEqualTo("Boiler");
        assertThat(view.path("tags").path("room").asText()).isEqualTo("12");
        assertThat(view.path("attributes")).hasToString("{\"limit\":21.5,\"on\":true}");
        assertProblem(patch(device, "{\"name\":\"Kettle\"}", "If-Match", read), 412, "precondition-failed");

        Reply again = send(
                "PATCH",
                device.deviceId(),
                JSON,
                "{\"name\":null,\"tags\":{\"room\":null},\"attributes\":{\"on\":null}}");
        assertThat(again.status()).as(again.toString()).isEqualTo(200);
        assertThat(again.json().path("name").asText()).isEqualTo(device.serial());
        assertThat(again.json().path("tags").has("room")).isFalse();
        assertThat(again.json().path("attributes")).hasToString("{\"limit\":21.5}");
    }

    @Test
    void everyFaultOfAPatchIsNamed() {
        Registered device = REGISTRY.newDevice();

        assertThat(
                        pointers(
                                patch(
                                        device,
                                        "{\"name\":\" \",\"tags\":{\"lot\":\"x\",\"a b\":\"x\",\"n\":1},\"attributes\":{\"x\":[1],\"y\":{}},\"state\":\"retired\"}")))
                .containsExactlyInAnyOrder(
                        "#/name",
                        "#/tags/lot",
                        "#/tags/a%20b",
                        "#/tags/n",
                        "#/attributes/x",
                        "#/attributes/y",
                        "#/state");
        assertThat(pointers(patch(device, "{}"))).containsExactly("#/name");
        assertThat(pointers(patch(device, "{\"tags\":[],\"attributes\":1}")))
                .containsExactlyInAnyOrder("#/tags", "#/attributes");
        assertProblem(send("PATCH", device.deviceId(), "text/plain", "x"), 415, "unsupported-media-type");
        assertProblem(
                send("PATCH", "0190b6f0a1b27c3d8e4f5a6b7c8d9e0f", MERGE_PATCH, "{\"name\":\"x\"}"), 404, "not-found");
        assertProblem(
                REGISTRY.send(
                        "PATCH",
                        "api/v1/devices/" + device.deviceId(),
                        "{}".getBytes(StandardCharsets.UTF_8),
                        "Content-Type",
                        MERGE_PATCH),
                401,
                "unauthorized");
    }

    @Test
    void deletedDeviceIsATombstone() {
        Registered device = REGISTRY.newDevice();
        String token = REGISTRY.accessToken(device);
        patch(device, "{\"name\":\"Boiler of Alice\",\"tags\":{\"room\":\"12\"}}");

        assertProblem(send("DELETE", device.deviceId(), JSON, "", "If-Match", "\"1\""), 412, "precondition-failed");
        Reply deleted = send("DELETE", device.deviceId(), JSON, "");
        assertThat(deleted.status()).as(deleted.toString()).isEqualTo(204);

        JsonNode left = get(device, "").json();
        assertThat(left.path("state").asText()).isEqualTo("retired");
        assertThat(left.path("name").asText()).isEqualTo(device.serial());
        assertThat(left.path("tags")).hasToString("{\"serial\":\"" + device.serial() + "\"}");
        assertThat(left.path("attributes").isEmpty()).isTrue();
        assertThat(REGISTRY.token(device).status()).isEqualTo(401);
        assertThat(REGISTRY.isActive(token)).isFalse();
        assertProblem(REGISTRY.register(device.serial()), 400, "registration-refused");
    }

    @Test
    void timelineGoesFromTheFirstRefusalOn() {
        String serial = RegistryUnderTest.unusedSerial();
        assertProblem(REGISTRY.register(serial), 400, "registration-refused");
        REGISTRY.expect(serial);
        Registered device = REGISTRY.registered(serial);
        REGISTRY.accessToken(device);
        assertThat(REGISTRY.change(device.deviceId(), "disable").status()).isEqualTo(200);

        Within.within(java.time.Duration.ofSeconds(10), "the refusal is on record", () -> types(device, "")
                .contains("refused"));
        assertThat(types(device, ""))
                .containsSubsequence("device-disabled", "credential-confirmed", "registered", "refused");
        Reply page = get(device, "/events?limit=1");
        assertThat(page.json().path("events")).hasSize(1);
        assertThat(types(device, "?limit=1&cursor=" + page.json().path("next").asText()))
                .hasSize(1);
        assertProblem(get(device, "/events?cursor=x"), 400, "invalid-request");
    }

    private static List<String> types(Registered device, String query) {
        List<String> types = new ArrayList<>();
        get(device, "/events" + query)
                .json()
                .path("events")
                .forEach(event -> types.add(event.path("type").asText()));
        return types;
    }
}
