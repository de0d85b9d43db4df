// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The callers of the operator API, and exactly what each right permits. */
@Tag("portable")
class OperatorsIT {

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private record Operator(String id, String token) {}

    private Reply create(String body) {
        return registry.post("api/v1/operators", JSON, body, registry.asOperator());
    }

    private Operator operator(String... rights) {
        Reply reply = create("{\"name\":\"%s\",\"rights\":[\"%s\"]}"
                .formatted(RegistryUnderTest.unusedSerial(), String.join("\",\"", rights)));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(201);
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        return new Operator(
                reply.json().path("id").asText(), reply.json().path("token").asText());
    }

    private int introspect(String token, String asked) {
        return registry.post("introspect", FORM, "token=" + asked, bearer(token))
                .status();
    }

    @Test
    void resourceServerIntrospectsUntilItsTokenIsRevoked() {
        Operator resourceServer = operator("introspect");
        String token = registry.accessToken(registry.newDevice());

        assertThat(introspect(resourceServer.token(), token)).isEqualTo(200);

        Reply deleted = registry.send("DELETE", "api/v1/operators/" + resourceServer.id(), null, registry.asOperator());
        assertThat(deleted.status()).isEqualTo(204);
        assertProblem(
                registry.post("introspect", FORM, "token=" + token, bearer(resourceServer.token())),
                401,
                "unauthorized");
        assertProblem(
                registry.send("DELETE", "api/v1/operators/" + resourceServer.id(), null, registry.asOperator()),
                404,
                "not-found");
    }

    @Test
    void nameOfARevokedOperatorIsFreeAgain() {
        String name = RegistryUnderTest.unusedSerial();
        String body = "{\"name\":\"" + name + "\",\"rights\":[\"introspect\"]}";
        Reply first = create(body);
        assertProblem(create(body), 409, "conflict");
        registry.send("DELETE", "api/v1/operators/" + first.json().path("id").asText(), null, registry.asOperator());

        Reply second = create(body);

        assertThat(second.status()).as(second.toString()).isEqualTo(201);
        String token = registry.accessToken(registry.newDevice());
        assertThat(introspect(second.json().path("token").asText(), token)).isEqualTo(200);
        assertThat(introspect(first.json().path("token").asText(), token)).isEqualTo(401);
        assertThat(registry.get("api/v1/operators", registry.asOperator())
                        .json()
                        .path("operators")
                        .findValuesAsText("name"))
                .filteredOn(name::equals)
                .hasSize(2);
    }

    @Test
    void eachRightOpensWhatItNamesAndNothingElse() {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        // An order for a whole fleet, in which no other test of this suite has devices.
        registry.send(
                "PUT",
                "api/v1/fleets/rights",
                "{\"verifiers\":[\"database\"]}".getBytes(StandardCharsets.UTF_8),
                json(registry.asOperator()));
        for (String right : List.of(
                "introspect",
                "devices:read",
                "devices:write",
                "serials:read",
                "serials:write",
                "lots:write",
                "fleets:read",
                "fleets:write",
                "keys:write",
                "signing:write",
                "operators:write")) {
            String[] as = bearer(operator(right).token());
            String fleet = "api/v1/fleets/default/";
            assertAllowed(right, "serials:read", registry.get(fleet + "serials?limit=1", as));
            assertAllowed(right, "serials:read", registry.get(fleet + "lots?limit=1", as));
            assertAllowed(right, "serials:read", registry.get(fleet + "imports?limit=1", as));
            assertAllowed(right, "serials:write", registry.post(fleet + "serials/SN-right/block", JSON, "{}", as));
            assertAllowed(
                    right,
                    "lots:write",
                    registry.send("PUT", fleet + "lots/right", "{}".getBytes(StandardCharsets.UTF_8), json(as)));
            assertAllowed(right, "fleets:read", registry.get("api/v1/fleets", as));
            assertAllowed(right, "fleets:read", registry.get("api/v1/fleets/default", as));
            assertAllowed(
                    right, "fleets:read", registry.post(fleet + "explain", JSON, "{\"serial\":\"SN-right\"}", as));
            assertAllowed(
                    right,
                    "fleets:write",
                    registry.send(
                            "PUT",
                            "api/v1/fleets/rights",
                            "{\"verifiers\":[\"database\"]}".getBytes(StandardCharsets.UTF_8),
                            json(as)));
            assertAllowed(right, "keys:write", registry.get(fleet + "enrolment-keys?limit=1", as));
            assertAllowed(right, "keys:write", registry.post("api/v1/fleets/rights/enrolment-keys", JSON, "{}", as));
            assertAllowed(right, "signing:write", registry.get("api/v1/signing-keys", as));
            assertAllowed(right, "devices:read", registry.get("api/v1/audit/seals", as));
            assertAllowed(right, "devices:read", registry.get("api/v1/audit/export?to=1", as));
            assertAllowed(
                    right,
                    "signing:write",
                    registry.post("api/v1/signing-keys/rotate", JSON, "{\"emergency\":false}", as));
            assertAllowed(right, "introspect", registry.post("introspect", FORM, "token=" + token, as));
            assertAllowed(right, "devices:read", registry.get("api/v1/devices?limit=1", as));
            assertAllowed(right, "devices:read", registry.get("api/v1/devices/" + device.deviceId(), as));
            assertAllowed(right, "devices:read", registry.get("api/v1/events?limit=1", as));
            assertAllowed(
                    right,
                    "devices:write",
                    registry.send("POST", "api/v1/devices/" + device.deviceId() + "/enable", new byte[0], as));
            for (String list : List.of("allowances", "revocations", "rotations")) {
                assertAllowed(right, "devices:read", registry.get("api/v1/fleets/default/" + list, as));
            }
            assertAllowed(
                    right,
                    "devices:write",
                    registry.post(
                            "api/v1/fleets/default/allowances",
                            JSON,
                            "{\"serials\":[\"SN-right\"],\"reason\":\"a test\"}",
                            as));
            for (String order : List.of("revocations", "rotations")) {
                assertAllowed(
                        right,
                        "devices:write",
                        registry.post(
                                "api/v1/fleets/rights/" + order, JSON, "{\"all\":true,\"reason\":\"a test\"}", as));
            }
            assertAllowed(
                    right,
                    "devices:write",
                    registry.post("api/v1/devices/" + device.deviceId() + "/rotate", JSON, "{}", as));
            assertAllowed(
                    right,
                    "serials:write",
                    registry.post("api/v1/fleets/default/serials", CSV, "serial\nSN-right\n", as));
            assertAllowed(right, "operators:write", registry.get("api/v1/operators", as));
        }
    }

    private static String[] json(String[] headers) {
        List<String> all = new ArrayList<>(List.of(headers));
        all.addAll(List.of("Content-Type", JSON));
        return all.toArray(String[]::new);
    }

    private static void assertAllowed(String right, String needed, Reply reply) {
        if (right.equals(needed)) {
            assertThat(reply.status()).as(right + ": " + reply).isBetween(200, 204);
        } else {
            assertProblem(reply, 403, "forbidden");
        }
    }

    @Test
    void withoutAnOperatorsTokenEverythingIsClosed() {
        Registered device = registry.newDevice();
        List<String[]> strangers = new ArrayList<>();
        strangers.add(new String[0]);
        strangers.add(bearer(registry.accessToken(device)));
        strangers.add(bearer(device.secret()));
        strangers.add(bearer(registry.operatorToken() + "x"));
        strangers.add(bearer(registry.operatorToken().substring(1)));
        strangers.add(bearer("mo_"));
        strangers.add(bearer("mo_" + "x".repeat(43)));
        strangers.add(new String[] {"Authorization", "Basic " + registry.operatorToken()});
        for (String[] as : strangers) {
            assertProblem(registry.get("api/v1/devices", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/fleets", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/fleets/default", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/fleets/default/serials", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/fleets/default/lots", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/fleets/default/enrolment-keys", as), 401, "unauthorized");
            for (String order : List.of("allowances", "revocations", "rotations")) {
                assertProblem(registry.get("api/v1/fleets/default/" + order, as), 401, "unauthorized");
                assertProblem(registry.post("api/v1/fleets/default/" + order, JSON, "{}", as), 401, "unauthorized");
            }
            for (String verb : List.of("disable", "retire", "revoke", "rotate")) {
                assertProblem(
                        registry.post("api/v1/devices/" + device.deviceId() + "/" + verb, JSON, "{}", as),
                        401,
                        "unauthorized");
            }
            assertProblem(
                    registry.post("api/v1/fleets/default/registration-tokens", JSON, "{}", as), 401, "unauthorized");
            assertProblem(registry.post("api/v1/fleets/default/explain", JSON, "{}", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/devices/" + device.deviceId(), as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/events", as), 401, "unauthorized");
            assertProblem(registry.get("api/v1/operators", as), 401, "unauthorized");
            assertProblem(registry.post("api/v1/operators", JSON, "{}", as), 401, "unauthorized");
            assertProblem(
                    registry.post("api/v1/fleets/default/serials", CSV, "serial\nSN-1234\n", as), 401, "unauthorized");
            assertProblem(registry.post("introspect", FORM, "token=x", as), 401, "unauthorized");
            Reply disable = registry.send("POST", "api/v1/devices/" + device.deviceId() + "/disable", new byte[0], as);
            assertProblem(disable, 401, "unauthorized");
            assertThat(disable.header("WWW-Authenticate").orElse("")).startsWith("Bearer ");
        }
        assertThat(registry.token(device).status()).isEqualTo(200);
    }

    @Test
    void operatorsAreListedWithoutTheirTokens() {
        Operator made = operator("introspect");

        Reply reply = registry.get("api/v1/operators", registry.asOperator());

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.text())
                .contains(made.id())
                .doesNotContain(made.token())
                .doesNotContain("mo_");
    }

    @Test
    void operatorCannotBeNamedLikeADevice() {
        Registered device = registry.newDevice();
        for (String name : List.of(device.deviceId(), device.key(), "Abcdefgh12345678", "a".repeat(64))) {
            Reply reply = create("{\"name\":\"" + name + "\",\"rights\":[\"introspect\"]}");
            assertProblem(reply, 400, "invalid-request");
            assertThat(pointers(reply)).as(name).containsExactly("#/name");
            assertThat(reply.text()).contains("ids and keys of devices");
        }
        for (String name : List.of("line" + device.key().substring(0, 11), "team-" + device.key())) {
            assertThat(create("{\"name\":\"" + name + "\",\"rights\":[\"introspect\"]}")
                            .status())
                    .as(name)
                    .isEqualTo(201);
        }
    }

    @Test
    void faultyOperatorIsRefusedWithEveryFault() {
        Reply reply = create("{\"name\":\"\",\"rights\":[\"root\",7],\"admin\":true}");
        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).containsExactlyInAnyOrder("#/name", "#/rights/0", "#/rights/1", "#/admin");

        for (String body : List.of("", "[]", "{", "{\"name\":\"a\",\"name\":\"b\"}", "null")) {
            Reply malformed = create(body);
            assertProblem(malformed, 400, "invalid-request");
            assertThat(pointers(malformed)).as(body).containsExactly("#");
        }
        assertProblem(create("{\"name\":\"first\",\"rights\":[\"introspect\"]}"), 409, "conflict");
    }

    @Test
    void devicesAreListedPageByPageAndByFilter() {
        List<String> serials = RegistryUnderTest.unusedSerials(7);
        registry.expect("always", serials);
        List<String> ids = serials.stream()
                .map(serial -> RegistryUnderTest.receipt(serial, registry.registerIn("always", serial))
                        .deviceId())
                .toList();
        registry.change(ids.get(3), "disable");

        List<String> paged = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page =
                    registry.listDevices("?fleet=always&limit=3" + cursor).json();
            page.path("devices")
                    .forEach(device -> paged.add(device.path("deviceId").asText()));
            cursor = page.has("next") ? "&cursor=" + page.path("next").asText() : "";
        } while (!cursor.isEmpty());

        assertThat(paged).containsSubsequence(ids).doesNotHaveDuplicates();
        JsonNode disabled =
                registry.listDevices("?fleet=always&state=disabled").json().path("devices");
        assertThat(disabled.findValuesAsText("deviceId")).contains(ids.get(3)).doesNotContain(ids.get(2));
        JsonNode tagged =
                registry.listDevices("?tag=serial:" + serials.get(5)).json().path("devices");
        assertThat(tagged.findValuesAsText("deviceId")).containsExactly(ids.get(5));
    }
}
