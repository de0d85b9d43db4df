// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operators search devices over HTTP. */
@Tag("portable")
class SearchIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static final List<Registered> DEVICES = new ArrayList<>();
    private static String room;

    @BeforeAll
    static void register() {
        room = RegistryUnderTest.unusedSerial();
        for (int number = 0; number < 5; number++) {
            Registered device = REGISTRY.newDevice();
            String body = "{\"name\":\"Boiler %d\",\"tags\":{\"room\":\"%s\"},\"attributes\":{\"limit\":%d}}"
                    .formatted(9 - number, room, number);
            List<String> headers = new ArrayList<>(List.of(REGISTRY.asOperator()));
            headers.addAll(List.of("Content-Type", "application/merge-patch+json"));
            Reply changed = REGISTRY.send(
                    "PATCH",
                    "api/v1/devices/" + device.deviceId(),
                    body.getBytes(StandardCharsets.UTF_8),
                    headers.toArray(String[]::new));
            assertThat(changed.status()).as(changed.toString()).isEqualTo(200);
            DEVICES.add(device);
        }
    }

    private static Reply search(Map<String, String> parameters) {
        return REGISTRY.listDevices("?fleet=default&"
                + parameters.entrySet().stream()
                        .map(one -> one.getKey() + "=" + URLEncoder.encode(one.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&")));
    }

    private static List<String> ids(Reply reply) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("complete").booleanValue())
                .as(reply.toString())
                .isTrue();
        List<String> ids = new ArrayList<>();
        for (JsonNode device : reply.json().path("devices")) {
            ids.add(device.path("deviceId").asText());
        }
        return ids;
    }

    private static List<String> ids(int... numbers) {
        List<String> ids = new ArrayList<>();
        for (int number : numbers) {
            ids.add(DEVICES.get(number).deviceId());
        }
        return ids;
    }

    @Test
    void filterFindsDevices() {
        String ours = "tags.room eq \"" + room + "\"";

        assertThat(ids(search(Map.of("filter", ours)))).isEqualTo(ids(0, 1, 2, 3, 4));
        assertThat(ids(search(Map.of("filter", ours + " and attributes.limit ge 3"))))
                .isEqualTo(ids(3, 4));
        assertThat(ids(search(Map.of("filter", ours + " and not (name co \"7\" or attributes.limit lt 2)"))))
                .isEqualTo(ids(3, 4));
        assertThat(ids(search(Map.of("filter", ours + " and createdAt gt \"2020-01-01T00:00:00Z\"", "sort", "name"))))
                .isEqualTo(ids(4, 3, 2, 1, 0));
        assertThat(ids(search(Map.of("tag", "room:" + room, "sort", "-createdAt", "state", "active"))))
                .isEqualTo(ids(4, 3, 2, 1, 0));
        assertThat(ids(search(Map.of("filter", "serial eq \"" + DEVICES.get(2).serial() + "\""))))
                .isEqualTo(ids(2));
        assertThat(ids(search(Map.of("filter", ours, "sort", "serial"))))
                .isEqualTo(DEVICES.stream()
                        .sorted(Comparator.comparing(Registered::serial))
                        .map(Registered::deviceId)
                        .toList());
    }

    @Test
    void whatIsTypedFindsDevices() {
        assertThat(ids(search(Map.of("q", room)))).isEqualTo(ids(0, 1, 2, 3, 4));
        assertThat(ids(search(Map.of("q", DEVICES.get(1).serial())))).isEqualTo(ids(1));
        assertThat(ids(search(Map.of("q", DEVICES.get(1).deviceId())))).isEqualTo(ids(1));
        assertThat(ids(search(Map.of("q", "Boiler 8", "filter", "tags.room eq \"" + room + "\""))))
                .isEqualTo(ids(1));
    }

    @Test
    void pagesFollowOneAnother() {
        Map<String, String> first = Map.of("filter", "tags.room eq \"" + room + "\"", "sort", "-name", "limit", "2");
        List<String> found = new ArrayList<>();
        Reply page = search(first);
        found.addAll(ids(page));
        while (page.json().has("next")) {
            assertThat(found.size()).isLessThanOrEqualTo(DEVICES.size());
            page = search(Map.of(
                    "filter",
                    first.get("filter"),
                    "sort",
                    "-name",
                    "limit",
                    "2",
                    "cursor",
                    page.json().path("next").asText()));
            found.addAll(ids(page));
        }

        assertThat(found).isEqualTo(ids(0, 1, 2, 3, 4));
    }

    @Test
    void everyFaultIsNamedWithItsPlace() {
        Reply reply =
                search(Map.of("filter", "colour eq 1 and state co \"x\"", "sort", "age", "limit", "0", "cursor", "-"));

        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).containsExactlyInAnyOrder("#/filter", "#/filter", "#", "#", "#");
        assertThat(reply.text())
                .contains("filter, character 1: unknown attribute", "filter, character 17: state takes");
        Reply broken = search(Map.of("filter", "serial eq \"a\" and"));
        assertProblem(broken, 400, "invalid-request");
        assertThat(broken.text()).contains("filter, character 18: the filter ends too early");
        assertProblem(search(Map.of("sort", "name", "cursor", "0".repeat(32))), 400, "invalid-request");
        assertProblem(search(Map.of("q", "a\nb")), 400, "invalid-request");
        assertProblem(REGISTRY.get("api/v1/devices?q=a"), 401, "unauthorized");
    }

    private static Reply list(String path, String filter) {
        return REGISTRY.get(
                "api/v1/" + path + "?filter=" + URLEncoder.encode(filter, StandardCharsets.UTF_8),
                REGISTRY.asOperator());
    }

    @Test
    void otherListsAreFilteredToo() {
        String serial = DEVICES.get(3).serial();
        Reply serials = list("fleets/default/serials", "serial eq \"" + serial + "\" and state eq \"registered\"");
        assertThat(serials.status()).as(serials.toString()).isEqualTo(200);
        assertThat(serials.json().path("complete").booleanValue()).isTrue();
        assertThat(serials.json().path("serials")).hasSize(1);
        assertThat(serials.json().path("serials").path(0).path("serial").asText())
                .isEqualTo(serial);

        Reply events = list(
                "events",
                "type eq \"device-changed\" and deviceId eq \"" + DEVICES.get(3).deviceId() + "\"");
        assertThat(events.status()).as(events.toString()).isEqualTo(200);
        assertThat(events.json().path("events")).hasSize(1);

        Reply approvals = list("fleets/default/approvals", "serial eq \"" + serial + "\"");
        assertThat(approvals.status()).as(approvals.toString()).isEqualTo(200);
        assertThat(approvals.json().path("approvals")).isEmpty();

        for (String path : List.of("fleets/default/serials", "fleets/default/approvals", "events")) {
            Reply wrong = list(path, "colour pr or serial eq 1");
            assertProblem(wrong, 400, "invalid-request");
            assertThat(pointers(wrong)).containsExactly("#/filter", "#/filter");
        }
    }
}
