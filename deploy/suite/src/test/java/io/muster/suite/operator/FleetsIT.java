// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertAnyProblem;
import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.ServerKind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Fleets as documents: read, replaced, obeyed, explained; and the shape of their registrations. */
@Tag("portable")
class FleetsIT {

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private static String unusedFleet() {
        return "f-" + RegistryUnderTest.unusedSerial().toLowerCase(Locale.ROOT);
    }

    private Reply put(String fleet, String document, String... headers) {
        List<String> all = new ArrayList<>(List.of(registry.asOperator()));
        all.addAll(List.of(headers));
        all.addAll(List.of("Content-Type", JSON));
        return registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                document.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                all.toArray(String[]::new));
    }

    private Reply get(String fleet) {
        return registry.get("api/v1/fleets/" + fleet, registry.asOperator());
    }

    private String made(String document) {
        String fleet = unusedFleet();
        Reply reply = put(fleet, document);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(201);
        return fleet;
    }

    private JsonNode explain(String fleet, String body) {
        Reply reply = registry.post(
                "api/v1/fleets/" + fleet + "/explain", JSON, body.replace('\'', '"'), registry.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void fleetIsMadeReadAndReplacedAsAWhole() {
        String fleet = made("{'verifiers':['database'],'configuration':{'interval':'PT1M'}}");

        Reply read = get(fleet);
        assertThat(read.header("ETag")).hasValue("\"1\"");
        assertThat(read.json().path("name").asText()).isEqualTo(fleet);
        assertThat(read.json().path("required").asInt()).isEqualTo(1);
        assertThat(read.json().path("registerAgain").asText()).isEqualTo("until-confirmed");

        Reply written = put(fleet, read.text(), "If-Match", "\"1\"");
        assertThat(written.status()).isEqualTo(200);
        assertThat(written.header("ETag")).hasValue("\"2\"");
        assertThat(written.json().path("warnings")).singleElement().asString().contains(fleet, "authenticate none");
        assertThat(((ObjectNode) written.json()).without("warnings").toString())
                .isEqualTo(read.json().toString());
        assertProblem(put(fleet, read.text(), "If-Match", "\"1\""), 412, "precondition-failed");
        assertProblem(put(fleet, read.text(), "If-None-Match", "*"), 412, "precondition-failed");

        assertThat(put(fleet, "{'verifiers':['database']}")
                        .json()
                        .path("configuration")
                        .isEmpty())
                .isTrue();
        assertThat(registry.get("api/v1/fleets", registry.asOperator())
                        .json()
                        .path("fleets")
                        .findValuesAsText("name"))
                .contains(fleet, "default");
    }

    @Test
    void fleetIsReplacedOnlyIfThePreconditionsHold() {
        String fleet = unusedFleet();
        String document = "{'verifiers':['database']}";

        assertProblem(put(fleet, document, "If-Match", "*"), 412, "precondition-failed");
        assertProblem(put(fleet, document, "If-Match", "\"1\""), 412, "precondition-failed");
        assertProblem(get(fleet), 404, "not-found");
        assertThat(put(fleet, document, "If-None-Match", "*").status()).isEqualTo(201);
        for (String tag : List.of("W/\"1\"", "\"another's\"", "\"2\", \"3\"")) {
            assertProblem(put(fleet, document, "If-Match", tag), 412, "precondition-failed");
        }
        assertProblem(put(fleet, document, "If-None-Match", "\"7\", W/\"1\""), 412, "precondition-failed");
        assertProblem(put(fleet, document, "If-Match", "\"1\"", "If-None-Match", "*"), 412, "precondition-failed");
        assertProblem(put(fleet, document, "If-Match", "1"), 400, "invalid-request");
        assertThat(get(fleet).header("ETag")).hasValue("\"1\"");
        assertThat(put(fleet, document, "If-Match", "\"7\", \"1\"").status()).isEqualTo(200);
        assertThat(put(fleet, document, "If-Match", "*", "If-None-Match", "\"1\"")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void documentThatDidNotChangeIsNotSentAgain() {
        String fleet = made("{'verifiers':['database']}");
        String[] unless = {"If-None-Match", "W/\"1\"", "Authorization", "Bearer " + registry.operatorToken()};

        Reply same = registry.get("api/v1/fleets/" + fleet, unless);
        assertThat(same.status()).as(same.toString()).isEqualTo(304);
        assertThat(same.body()).isEmpty();
        assertThat(same.header("ETag")).hasValue("\"1\"");

        put(fleet, "{'verifiers':['database'],'required':1}");
        assertThat(registry.get("api/v1/fleets/" + fleet, unless).status()).isEqualTo(200);
    }

    @Test
    void addressWithASemicolonIsNoOther() throws Exception {
        String fleet = unusedFleet();
        String operator = "Authorization: Bearer " + registry.operatorToken();
        byte[] document = "{\"verifiers\":[\"database\"]}".getBytes(StandardCharsets.UTF_8);

        for (String address : List.of(fleet + ";b", fleet + ";", ";x/" + fleet, fleet + ";b=c/explain", fleet + "/;")) {
            Reply reply = RawHttp.exchange(
                    registry.base(), RawHttp.request("PUT", "/api/v1/fleets/" + address, JSON, document, operator));

            if (address.startsWith(";") && registry.server().kind() != ServerKind.MICRO) {
                // Liberty refuses a segment without a name itself, in words of its own.
                assertThat(reply.status()).as(reply.toString()).isIn(400, 404);
            } else {
                assertProblem(reply, 404, "not-found");
            }
        }
        assertProblem(get(fleet), 404, "not-found");
        assertProblem(
                RawHttp.exchange(
                        registry.base(),
                        RawHttp.request("GET", "/api/v1/fleets/default;x", null, new byte[0], operator)),
                404,
                "not-found");
        assertProblem(
                RawHttp.exchange(registry.base(), RawHttp.request("GET", "/health/live;x", null, new byte[0])),
                404,
                "not-found");
    }

    @Test
    void queryThatIsUnknownIsRefused() {
        for (String address :
                List.of("api/v1/fleets?limit=1", "api/v1/fleets?archived=yes", "api/v1/fleets/default?x=y&z=")) {
            Reply reply = registry.get(address, registry.asOperator());

            assertProblem(reply, 400, "invalid-request");
        }
    }

    @Test
    void listCanLeaveOutFleetsThatAreArchived() {
        String archived = unusedFleet();
        String used = unusedFleet();
        put(archived, "{'verifiers':['database'],'archived':true}");
        put(used, "{'verifiers':['database']}");

        assertThat(listed("")).contains(archived, used);
        assertThat(listed("?archived=false")).contains(used, "default").doesNotContain(archived);
        assertThat(listed("?archived=true")).contains(archived).doesNotContain(used, "default");
    }

    private List<String> listed(String query) {
        List<String> names = new ArrayList<>();
        registry.get("api/v1/fleets" + query, registry.asOperator())
                .json()
                .path("fleets")
                .forEach(fleet -> names.add(fleet.path("name").asText()));
        return names;
    }

    @Test
    void documentThatCanAdmitNobodyIsRefused() {
        String fleet = unusedFleet();

        Reply reply = put(fleet, "{'verifiers':['block-list','database'],'required':2}");

        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).containsExactly("#/verifiers");
        assertProblem(get(fleet), 404, "not-found");
        assertThat(put(fleet, "{'verifiers':['block-list','erp']}").json().has("warnings"))
                .isFalse();
    }

    @Test
    void requestWithThousandsOfFaultsGetsAReplyOfBoundedSize() {
        StringBuilder document = new StringBuilder("{'verifiers':['database']");
        for (int i = 0; i < 5000; i++) {
            document.append(",'y").append(i).append("':1");
        }

        Reply reply = put(unusedFleet(), document.append('}').toString());

        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).hasSize(101);
        assertThat(reply.text()).contains("and 4900 faults more");
    }

    @Test
    void deviceRegistersInAFleetAsSoonAsItIsMade() {
        String fleet = made("{'verifiers':['database'],'configuration':{'interval':'PT1M'}}");
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect(fleet, List.of(serial));

        Reply reply = registry.registerIn(fleet, serial);

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().path("configuration").path("interval").asText()).isEqualTo("PT1M");
        assertThat(registry.devicesOf(serial).get(0).path("fleet").asText()).isEqualTo(fleet);
    }

    @Test
    void deviceIsToldItsTopics() {
        String fleet = made(
                "{'verifiers':['database'],'topics':{'publish':['b/{deviceId}','a/{deviceId}/{fleet}'],'subscribe':[]}}");
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect(fleet, List.of(serial));
        Registered device = RegistryUnderTest.receipt(serial, registry.registerIn(fleet, serial));

        JsonNode topics =
                registry.ownRecord(registry.accessToken(device)).json().path("topics");

        assertThat(topics)
                .hasToString("{\"publish\":[\"b/" + device.deviceId() + "\",\"a/" + device.deviceId() + "/" + fleet
                        + "\"],\"subscribe\":[]}");
    }

    @Test
    void everyFaultOfADocumentIsNamedAndNothingIsWritten() {
        String fleet = unusedFleet();

        Reply reply =
                put(fleet, "{'verifiers':['nix'],'required':3,'timeBudget':1,'wire':{'path':'/register'},'x':true}");

        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply))
                .containsExactlyInAnyOrder("#/verifiers", "#/required", "#/timeBudget", "#/wire/path", "#/x");
        assertProblem(get(fleet), 404, "not-found");
        assertProblem(put(fleet, "{'verifiers':"), 400, "invalid-request");
        assertProblem(put("No-Name", "{'verifiers':['database']}"), 400, "invalid-request");
    }

    @Test
    void fleetHasAShapeAndARouteOfItsOwn() {
        String route = "/v2/" + unusedFleet();
        String fleet = made("{'verifiers':['database'],'wire':{'path':'" + route
                + "','request':{'serial':'/unit/id'},'reply':{'user':'key','password':'secret','id':'deviceId'},"
                + "'serialTag':'unit'}}");
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect(fleet, List.of(serial));

        Reply reply = registry.post(route.substring(1), JSON, "{\"unit\":{\"id\":\"" + serial + "\"}}");

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().fieldNames()).toIterable().containsExactlyInAnyOrder("user", "password", "id");
        assertThat(registry.token(
                                reply.json().path("user").asText(),
                                reply.json().path("password").asText())
                        .status())
                .isEqualTo(200);
        assertThat(registry.devicesOf(serial).get(0).path("tags").path("unit").asText())
                .isEqualTo(serial);

        Reply malformed = registry.post(route.substring(1), JSON, "{\"unit\":{\"id\":5},\"serial\":\"x\"}");
        assertProblem(malformed, 400, "invalid-request");
        assertThat(pointers(malformed)).containsExactly("#/unit/id");
        assertProblem(
                registry.post(route.substring(1), JSON, "{\"unit\":{\"id\":\"" + serial + "x\"}}"),
                400,
                "registration-refused");
        assertProblem(registry.get(route.substring(1)), 405, "method-not-allowed");
        assertProblem(registry.post(route.substring(1) + "x", JSON, "{}"), 404, "not-found");
    }

    @Test
    void explanationSaysWhatWouldHappenAndWhyAndNothingHappens() {
        String fleet = made("{'verifiers':['database','erp'],'required':2,'shadow':['dead']}");
        String serial = "UNKN" + RegistryUnderTest.unusedSerial();
        registry.expect(fleet, List.of(serial));

        JsonNode explanation = explain(fleet, "{'serial':'" + serial + "'}");

        assertThat(explanation.path("decision").asText()).isEqualTo("refused");
        assertThat(explanation.path("rule").asInt()).isEqualTo(5);
        assertThat(explanation.path("reason").asText()).isEqualTo("only 1 of 2 verifiers call it genuine");
        assertThat(explanation.path("verifiers").findValuesAsText("verifier"))
                .containsExactly("database", "erp", "dead");
        assertThat(explanation.path("verifiers").findValuesAsText("verdict"))
                .containsExactly("genuine", "unknown", "unavailable");
        assertThat(explanation.path("verifiers").get(2).path("shadow").asBoolean())
                .isTrue();
        assertThat(explanation.path("verifiers").get(0).path("tookMillis").isNumber())
                .isTrue();
        assertThat(explanation.path("registration").path("outcome").asText()).isEqualTo("new");
        assertThat(registry.devicesOf(serial)).isEmpty();

        assertProblem(
                registry.post(
                        "api/v1/fleets/" + fleet + "/explain",
                        JSON,
                        "{\"serial\":\"x\",\"y\":1}",
                        registry.asOperator()),
                400,
                "invalid-request");
        assertProblem(
                registry.post("api/v1/fleets/nowhere/explain", JSON, "{\"serial\":\"SN-0001\"}", registry.asOperator()),
                404,
                "not-found");
    }

    @Test
    void shadowThatDisagreesIsAnEvent() {
        String fleet = made("{'verifiers':['database'],'shadow':['erp']}");
        String serial = "REFU" + RegistryUnderTest.unusedSerial();
        registry.expect(fleet, List.of(serial));

        assertThat(registry.registerIn(fleet, serial).status()).isEqualTo(200);

        Within.within(
                Duration.ofSeconds(10), "the event is there", () -> registry
                        .get("api/v1/events?limit=100", registry.asOperator())
                        .json()
                        .path("events")
                        .findParents("serial")
                        .stream()
                        .anyMatch(event -> event.path("serial").asText().equals(serial)
                                && event.path("type").asText().equals("shadow-disagreed")));
    }

    private static String unusedMac() {
        return String.format("02%010X", ThreadLocalRandom.current().nextLong(1L << 40));
    }

    private static String spelled(String mac, String separator) {
        return mac.replaceAll("..(?=.)", "$0" + separator);
    }

    @Test
    void spellingsOfASerialAreOneDevice() {
        String fleet = made("{'verifiers':['block-list','database'],'serials':['trim','mac']}");
        String mac = unusedMac();
        String colons = spelled(mac, ":").toLowerCase(Locale.ROOT);
        String serials = "api/v1/fleets/" + fleet + "/serials";
        registry.expect(fleet, List.of(colons));

        Reply first = registry.registerIn(fleet, mac);
        Reply again = registry.registerIn(fleet, " " + spelled(mac, "-") + " ");

        assertThat(first.status()).as(first.toString()).isEqualTo(200);
        assertThat(again.status()).as(again.toString()).isEqualTo(200);
        assertThat(again.json().path("deviceId")).isEqualTo(first.json().path("deviceId"));
        assertThat(again.json().path("tags").path("serial").asText()).isEqualTo(mac);
        for (String filter : List.of("serial=" + colons, "tag=serial:" + colons, "fleet=" + fleet + "&serial=" + mac)) {
            assertThat(registry.listDevices("?" + filter).json().path("devices").findValuesAsText("deviceId"))
                    .containsExactly(first.json().path("deviceId").asText());
        }
        // GlassFish answers 503 to a path with colons by itself.
        String inPath = registry.server().kind().isGlassFish() ? mac : colons;
        Reply one = registry.get(serials + "/" + inPath, registry.asOperator());
        assertThat(one.json().path("state").asText()).as(one.toString()).isEqualTo("registered");
        assertThat(registry.get(serials + "?serial=" + colons, registry.asOperator())
                        .json()
                        .path("serials")
                        .findValuesAsText("serial"))
                .containsExactly(mac);
        assertThat(registry.post(
                                "api/v1/fleets/" + fleet + "/allowances",
                                JSON,
                                "{\"serials\":[\"" + colons + "\",\"" + mac + "\"],\"reason\":\"repair\"}",
                                registry.asOperator())
                        .json()
                        .path("allowances")
                        .findValuesAsText("serial"))
                .containsExactly(mac);
        JsonNode explanation = explain(fleet, "{'serial':'" + colons + "'}");
        assertThat(explanation.path("serial").asText()).isEqualTo(mac);
        assertThat(explanation.path("registration").path("outcome").asText()).isEqualTo("again");

        assertThat(registry.post(serials + "/" + inPath + "/block", JSON, "{}", registry.asOperator())
                        .json()
                        .path("serial")
                        .asText())
                .isEqualTo(mac);
        assertProblem(registry.registerIn(fleet, spelled(mac, "-")), 400, "registration-refused");
        assertThat(registry.post(
                                serials + "/unblock",
                                JSON,
                                "{\"serials\":[\"" + spelled(mac, "-") + "\"]}",
                                registry.asOperator())
                        .json()
                        .path("changed")
                        .asInt())
                .isEqualTo(1);
    }

    @Test
    void rulesThatWouldMakeTwoDevicesOneAreRefused() {
        String fleet = made("{'verifiers':['database']}");
        String serial = RegistryUnderTest.unusedSerial().toUpperCase(Locale.ROOT);
        registry.expect(fleet, List.of(serial + "a", serial + "A"));
        registry.registerIn(fleet, serial + "a");
        registry.registerIn(fleet, serial + "A");

        Reply reply = put(fleet, "{'verifiers':['database'],'serials':['upper']}");

        assertProblem(reply, 409, "conflict");
        assertThat(reply.json().path("detail").asText())
                .contains("device " + serial + "a would be " + serial + "A, which is there already");
        assertThat(get(fleet).header("ETag")).hasValue("\"1\"");
        assertProblem(put(fleet, "{'verifiers':['database'],'serials':['pattern:(']}"), 400, "invalid-request");
    }

    @Test
    void operatorsAreToldOfASerialThatIsListedInAnotherSpelling() {
        String fleet = made("{'verifiers':['database']}");
        String mac = unusedMac();
        String listed = spelled(mac, ":").toLowerCase(Locale.ROOT);
        registry.expect(fleet, List.of(listed));

        assertThat(explain(fleet, "{'serial':'" + mac + "'}").path("listedAs"))
                .singleElement()
                .matches(other -> other.asText().equals(listed));
        assertThat(explain(fleet, "{'serial':'" + listed + "'}").has("listedAs"))
                .isFalse();
        Reply malformed = registry.post(
                "api/v1/fleets/" + fleet + "/explain", JSON, "{\"serial\":\" " + listed + "\"}", registry.asOperator());
        assertProblem(malformed, 400, "invalid-request");
        assertThat(malformed.text()).contains("spelled otherwise, it is listed: " + listed);

        Reply refused = registry.registerIn(fleet, mac);
        assertProblem(refused, 400, "registration-refused");
        assertThat(refused.text()).doesNotContain(listed);
        Within.within(
                Duration.ofSeconds(10), "the event is there", () -> registry
                        .get("api/v1/events?limit=100", registry.asOperator())
                        .json()
                        .path("events")
                        .findParents("serial")
                        .stream()
                        .anyMatch(event -> event.path("serial").asText().equals(mac)
                                && event.path("detail").asText().endsWith("it is listed: " + listed)));
    }

    @Test
    void everyErrorHasTheMemberThatTheFirmwareReads() {
        String route = "/v2/" + unusedFleet();
        String fleet =
                made("{'verifiers':['dead','database'],'wire':{'preset':'register-device','path':'" + route + "'}}");
        String path = route.substring(1);
        String body = "{\"manufacturerId\":\"" + RegistryUnderTest.unusedSerial() + "\"}";

        Reply unavailable = registry.post(path, JSON, body);
        assertUnavailable(unavailable, "verification-unavailable");
        assertThat(unavailable.json().path("error").asText()).isEqualTo("The serial cannot be verified now");
        Reply malformed = registry.post("fleets/" + fleet + "/register", JSON, "{\"manufacturerId\":true}");
        assertProblem(malformed, 400, "invalid-request");
        assertThat(malformed.json().path("error").asText()).endsWith(": #/manufacturerId must be a string or a number");
        for (Reply reply : List.of(
                registry.get(path),
                registry.post(path, "text/plain", body),
                registry.post(path, "bogus", body),
                registry.post(path, JSON, "{"),
                registry.post(path, JSON, " ".repeat(70_000)))) {
            assertAnyProblem(reply);
            assertThat(reply.json().path("error").asText()).isNotBlank();
        }
        assertThat(registry.registerIn("default", RegistryUnderTest.unusedSerial())
                        .json()
                        .has("error"))
                .isFalse();
    }
}
