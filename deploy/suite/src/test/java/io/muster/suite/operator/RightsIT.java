// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each request is permitted to the roles of docs/operator-rights.csv, in their fleets and nowhere else. */
@Tag("portable")
class RightsIT {

    private static final Path MATRIX = Path.of("../../docs/operator-rights.csv");
    private static final List<String> ROLES = List.of("viewer", "operator", "manager", "admin");
    private static final String MINE = "rights-mine";
    private static final String OTHER = "rights-other";
    private static final Map<String, String> NOTHING = Map.of("serial", "SN-NONE", "api/v1/devices/", "0".repeat(32));

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private record Row(String method, String path, String right, String scope, Map<String, Boolean> permitted) {}

    private static List<Row> rows() throws IOException {
        List<String> lines = Files.readAllLines(MATRIX);
        assertThat(lines.get(0)).isEqualTo("request,right,scope," + String.join(",", ROLES));
        List<Row> rows = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split(",");
            Map<String, Boolean> permitted = new HashMap<>();
            for (int i = 0; i < ROLES.size(); i++) {
                permitted.put(ROLES.get(i), cells[3 + i].equals("yes"));
            }
            rows.add(new Row(
                    cells[0].split(" ")[0], cells[0].split(" ")[1].substring(1), cells[1], cells[2], permitted));
        }
        return rows;
    }

    private Reply send(String method, String path, String json, String... headers) {
        return registry.send(
                method,
                path,
                json == null ? null : json.getBytes(StandardCharsets.UTF_8),
                Stream.concat(Stream.of("Content-Type", JSON), Arrays.stream(headers))
                        .toArray(String[]::new));
    }

    private JsonNode made(String path, String json) {
        Reply reply = send("POST", path, json, registry.asOperator());
        assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
        return reply.json();
    }

    private JsonNode operator(String grants) {
        return made(
                "api/v1/operators",
                "{\"name\":\"" + RegistryUnderTest.unusedSerial() + "\",\"grants\":[" + grants + "]}");
    }

    private String token(String grants) {
        return operator(grants).path("token").asText();
    }

    /** A fleet with one of each, and their ids by the beginning of their addresses. */
    private Map<String, String> fleet(String name) {
        String fleet = "api/v1/fleets/" + name;
        Reply put = send("PUT", fleet, "{\"verifiers\":[\"database\"]}", registry.asOperator());
        assertThat(put.status()).as(put.toString()).isIn(200, 201);
        String serial = registry.expectedSerial(name);
        Registered device = registry.registered(name, serial);
        send("PUT", fleet + "/lots/L1", "{}", registry.asOperator());
        Map<String, String> ids = new HashMap<>();
        ids.put("serial", serial);
        ids.put("api/v1/devices/", device.deviceId());
        ids.put("token", registry.accessToken(device));
        ids.put(
                "api/v1/fleets/{fleet}/webhooks/",
                made(fleet + "/webhooks", "{\"url\":\"https://receiver.example/\",\"enabled\":false}")
                        .path("id")
                        .asText());
        ids.put(
                "api/v1/fleets/{fleet}/enrolment-keys/",
                made(fleet + "/enrolment-keys", "{}").path("id").asText());
        ids.put(
                "api/v1/fleets/{fleet}/imports/",
                registry.get(fleet + "/imports", registry.asOperator())
                        .json()
                        .path("imports")
                        .path(0)
                        .path("id")
                        .asText());
        return ids;
    }

    private static String filled(String path, String fleet, Map<String, String> ids) {
        String id = ids.entrySet().stream()
                .filter(one -> path.startsWith(one.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse("0".repeat(32));
        return path.replace("{fleet}", fleet)
                .replace("{serial}", ids.get("serial"))
                .replace("{lot}", "L1")
                .replace("{delivery}", "0".repeat(32))
                .replace("{number}", "1")
                .replace("{id}", id);
    }

    /** Sends a request that changes as little as possible: a body that is no JSON, and a version that is not there. */
    private Reply ask(Row row, String path, String token) {
        String body = row.method().matches("GET|DELETE") ? null : "[";
        return send(
                row.method(),
                // The answer to a stream of events would not end.
                path.endsWith("/events/stream") ? path + "?type=none" : path,
                body,
                Stream.concat(Stream.of(bearer(token)), Stream.of("If-Match", "\"999999\""))
                        .toArray(String[]::new));
    }

    private static void check(String what, Reply reply, boolean permitted) {
        if (permitted) {
            assertThat(reply.status()).as(what + ": " + reply).isNotIn(401, 403);
            if (reply.status() >= 400) {
                ProblemAssert.assertTellsNothing(reply);
            }
        } else {
            assertThat(reply.status()).as(what + ": " + reply).isEqualTo(403);
            assertProblem(reply, 403, "forbidden");
        }
    }

    /** Compares two errors; each has an instance of its own. */
    private static void assertSame(String what, Reply one, Reply other) {
        assertThat(one.status()).as(what + ": " + one).isEqualTo(other.status());
        for (String member : List.of("type", "title", "detail", "errors")) {
            assertThat(one.json().path(member)).as(what).isEqualTo(other.json().path(member));
        }
    }

    @Test
    void everyRequestIsPermittedToTheRolesOfTheMatrixInTheirFleetsOnly() throws IOException {
        Map<String, String> mine = fleet(MINE);
        Map<String, String> other = fleet(OTHER);
        for (String role : ROLES) {
            String everywhere = token("{\"role\":\"" + role + "\"}");
            String here = role.equals("admin")
                    ? everywhere
                    : token("{\"role\":\"" + role + "\",\"fleets\":[\"" + MINE + "\"]}");
            for (Row row : rows()) {
                String what = role + " " + row.method() + " " + row.path();
                boolean permitted = row.permitted().get(role);
                String inMine = filled(row.path(), MINE, mine);
                check(what + " for all fleets", ask(row, inMine, everywhere), permitted);
                if (role.equals("admin")) {
                    continue;
                }
                Reply reply = ask(row, inMine, here);
                check(what + " in its fleet", reply, permitted && !row.scope().equals("all"));
                if (row.scope().equals("fleet")) {
                    Reply hidden = ask(row, filled(row.path(), OTHER, other), here);
                    assertThat(hidden.status()).as(what + ": " + hidden).isBetween(400, 499);
                    assertSame(what, hidden, ask(row, filled(row.path(), "rights-none", NOTHING), here));
                } else if (row.method().equals("GET")) {
                    assertThat(reply.text())
                            .as(what)
                            .doesNotContain(OTHER, other.get("serial"), other.get("api/v1/devices/"));
                }
            }
        }
    }

    @Test
    void otherFleetsAreAsIfTheyDidNotExist() {
        Map<String, String> mine = fleet(MINE);
        Map<String, String> other = fleet(OTHER);
        String[] as = bearer(token("{\"role\":\"manager\",\"fleets\":[\"" + MINE + "\"]},"
                + "{\"rights\":[\"introspect\"],\"fleets\":[\"" + MINE + "\"]}"));
        for (String path : List.of(
                "api/v1/fleets/%s",
                "api/v1/fleets/%s/serials?limit=1", "api/v1/fleets/%s/webhooks", "api/v1/devices?fleet=%s")) {
            Reply hidden = registry.get(path.formatted(OTHER), as);
            Reply missing = registry.get(path.formatted("rights-none"), as);
            assertSame(path, hidden, missing);
        }
        Reply devices = registry.get("api/v1/devices?limit=1000", as);
        assertThat(devices.text()).contains(mine.get("serial")).doesNotContain(OTHER, other.get("serial"));
        assertThat(registry.get("api/v1/devices?serial=" + other.get("serial"), as)
                        .json()
                        .path("devices"))
                .isEmpty();
        assertThat(registry.get("api/v1/fleets", as).json().path("fleets").findValuesAsText("name"))
                .containsExactly(MINE);
        Reply events = registry.get("api/v1/events?limit=1000", as);
        assertThat(events.json().path("events").findValuesAsText("fleet"))
                .contains(MINE)
                .containsOnly(MINE);
        assertThat(events.json().path("events").size())
                .isEqualTo(
                        events.json().path("events").findValuesAsText("fleet").size());
        for (String filter : List.of("type%20pr", "fleet%20eq%20%22" + OTHER + "%22")) {
            assertThat(registry.get("api/v1/events?limit=1000&filter=" + filter, as)
                            .text())
                    .doesNotContain(OTHER);
        }
        assertThat(active(mine.get("token"), as)).isTrue();
        assertThat(active(other.get("token"), as)).isFalse();
    }

    private boolean active(String token, String... as) {
        Reply reply = registry.post("introspect", FORM, "token=" + token, as);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json().path("active").asBoolean();
    }

    @Test
    void operatorsTokensAreReplacedChangedAndExpire() {
        fleet(MINE);
        JsonNode made = operator("{\"role\":\"viewer\",\"fleets\":[\"" + MINE + "\"]}");
        String path = "api/v1/operators/" + made.path("id").asText();
        String first = made.path("token").asText();
        Reply me = registry.get("api/v1/me", bearer(first));
        assertThat(me.status()).isEqualTo(200);
        assertThat(me.json().path("grants").toString())
                .isEqualTo("[{\"role\":\"viewer\",\"fleets\":[\"" + MINE + "\"]}]");
        assertThat(me.text()).doesNotContain("mo_");

        String second = registry.post("api/v1/me/token", JSON, "{}", bearer(first))
                .json()
                .path("token")
                .asText();
        for (String token : List.of(first, second)) {
            assertThat(registry.get("api/v1/me", bearer(token)).status()).isEqualTo(200);
        }
        Reply third = registry.post(path + "/token", JSON, "{\"overlap\":\"PT0S\"}", registry.asOperator());
        assertThat(third.status()).as(third.toString()).isEqualTo(200);
        for (String token : List.of(first, second)) {
            assertProblem(registry.get("api/v1/me", bearer(token)), 401, "unauthorized");
        }
        String[] as = bearer(third.json().path("token").asText());
        assertThat(registry.get("api/v1/fleets/" + MINE, as).status()).isEqualTo(200);

        String rights = "{\"grants\":[{\"rights\":[\"serials:read\"],\"fleets\":[\"" + MINE + "\"]}],\"expiresAt\":\""
                + Instant.now().plusSeconds(3600) + "\"}";
        assertProblem(
                send("PUT", path, rights, with(registry.asOperator(), "If-Match", "\"1\"")),
                412,
                "precondition-failed");
        String tag = registry.get(path, registry.asOperator()).header("ETag").orElseThrow();
        Reply changed = send("PUT", path, rights, with(registry.asOperator(), "If-Match", tag));
        assertThat(changed.status()).as(changed.toString()).isEqualTo(200);
        assertThat(changed.json().has("expiresAt")).isTrue();
        assertProblem(registry.get("api/v1/fleets/" + MINE, as), 403, "forbidden");
        assertThat(registry.get("api/v1/fleets/" + MINE + "/serials", as).status())
                .isEqualTo(200);
        assertThat(registry.get("api/v1/events?filter=type%20eq%20%22operator-changed%22", registry.asOperator())
                        .text())
                .contains("serials:read");
    }

    private static String[] with(String[] headers, String... more) {
        return Stream.concat(Stream.of(headers), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void nobodyGrantsMoreThanTheyHaveAndEveryFaultIsNamed() {
        fleet(MINE);
        String clerk = token("{\"rights\":[\"operators:write\",\"devices:read\"]},{\"role\":\"manager\",\"fleets\":[\""
                + MINE + "\"]}");
        String[] as = bearer(clerk);
        String form = "{\"name\":\"%s\",\"grants\":[%s]}";
        assertProblem(
                registry.post("api/v1/operators", JSON, form.formatted("clerk-1", "{\"role\":\"viewer\"}"), as),
                403,
                "forbidden");
        Reply made = registry.post(
                "api/v1/operators",
                JSON,
                form.formatted(RegistryUnderTest.unusedSerial(), "{\"role\":\"viewer\",\"fleets\":[\"" + MINE + "\"]}"),
                as);
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        String admin = operator("{\"role\":\"admin\"}").path("id").asText();
        assertProblem(registry.post("api/v1/operators/" + admin + "/token", JSON, "{}", as), 403, "forbidden");
        String self = registry.get("api/v1/me", as).json().path("id").asText();
        assertProblem(
                send("PUT", "api/v1/operators/" + self, "{\"grants\":[{\"rights\":[\"devices:read\"]}]}", as),
                409,
                "conflict");

        Reply faults = registry.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"x\",\"grants\":[{\"role\":\"king\"},{},{\"role\":\"admin\",\"fleets\":[\"rights-none\"]},"
                        + "{\"rights\":[\"signing:write\"],\"fleets\":[\"" + MINE
                        + "\"]},{\"rights\":[\"mqtt:read\"]},7],"
                        + "\"expiresAt\":\"2020-01-01T00:00:00Z\"}",
                registry.asOperator());
        assertProblem(faults, 400, "invalid-request");
        assertThat(ProblemAssert.pointers(faults))
                .contains(
                        "#/grants/0/role",
                        "#/grants/1/role",
                        "#/grants/2/role",
                        "#/grants/2/fleets/0",
                        "#/grants/3/rights",
                        "#/grants/5",
                        "#/expiresAt");
    }
}
