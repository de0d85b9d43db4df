// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A person decides which devices register, over HTTP and with the real command of devices. */
@Tag("portable")
class ApprovalIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static final String FLEET = "approval";
    private static final String PATH = "api/v1/fleets/" + FLEET + "/approvals";
    private static final String BINDING = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    @TempDir
    Path directory;

    @BeforeAll
    static void makeFleets() {
        put(FLEET, "{\"verifiers\":[\"approval\"]}");
        put("approval-error", "{\"verifiers\":[\"approval\"],\"wire\":{\"error\":\"message\"}}");
        put("approval-503", "{\"verifiers\":[\"approval\"],\"wire\":{\"error\":\"message\",\"pendingStatus\":503}}");
    }

    private static void put(String fleet, String document) {
        Reply reply = REGISTRY.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                document.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + REGISTRY.operatorToken(),
                "Content-Type",
                JSON);
        assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
    }

    private static Reply register(String fleet, String serial) {
        return REGISTRY.post("fleets/" + fleet + "/register", JSON, body(serial));
    }

    private static Reply post(String path, String body, String... headers) {
        List<String> all = new ArrayList<>(List.of(REGISTRY.asOperator()));
        all.addAll(List.of(headers));
        return REGISTRY.post(PATH + path, JSON, body, all.toArray(String[]::new));
    }

    private static List<JsonNode> entries(String serial) {
        List<JsonNode> entries = new ArrayList<>();
        Reply reply = REGISTRY.get(PATH + "?serial=" + serial, REGISTRY.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        reply.json().path("approvals").forEach(entries::add);
        return entries;
    }

    private static String id(String serial) {
        assertThat(entries(serial)).hasSize(1);
        return entries(serial).get(0).path("id").asText();
    }

    private Ended device(String serial, String giveUpAfter) {
        return Processes.java(
                directory,
                Map.of(),
                List.of(
                        "-jar",
                        System.getProperty("muster-device.jar"),
                        "register",
                        "--registry",
                        REGISTRY.base().toString(),
                        "--fleet",
                        FLEET,
                        "--serial",
                        serial,
                        "--give-up-after",
                        giveUpAfter));
    }

    @Test
    void deviceWaitsAcrossARestartAndRegistersByItselfOnceItIsApproved() throws Exception {
        String serial = RegistryUnderTest.unusedSerial();
        Ended first = device(serial, "PT4S");
        assertThat(first.status()).as(first.all()).isEqualTo(3);
        assertThat(REGISTRY.devicesOf(serial)).isEmpty();
        JsonNode seen = entries(serial).get(0);
        assertThat(seen.path("binding").asText()).hasSize(43);

        CompletableFuture<Ended> restarted = CompletableFuture.supplyAsync(() -> device(serial, "PT60S"));
        Within.within(
                Duration.ofSeconds(60),
                "the second process asks",
                () -> entries(serial).get(0).path("tries").asInt() >= 2 || restarted.isDone());
        Reply approved = post("/" + id(serial) + "/approve", "{\"reason\":\"seen\"}");

        assertThat(approved.status()).as(approved.toString()).isEqualTo(200);
        assertThat(restarted.get().status()).as(restarted.get().all()).isZero();
        assertThat(REGISTRY.devicesOf(serial)).hasSize(1);
        JsonNode used = entries(serial).get(0);
        assertThat(entries(serial)).hasSize(1);
        assertThat(used.path("state").asText()).isEqualTo("used");
        assertThat(used.path("binding")).isEqualTo(seen.path("binding"));
        assertThat(used.path("deviceId").asText())
                .isEqualTo(REGISTRY.devicesOf(serial).get(0).path("deviceId").asText());
    }

    @Test
    void deviceIsToldToAskAgainInTheShapeOfItsFleet() {
        Reply plain = register(FLEET, RegistryUnderTest.unusedSerial());
        assertThat(plain.status()).as(plain.toString()).isEqualTo(202);
        assertThat(plain.header("Retry-After")).contains("1");
        assertThat(plain.header("Cache-Control")).contains("no-store");
        assertThat(plain.type()).isEqualTo(JSON);
        assertThat(plain.text()).isEqualTo("{\"status\":\"pending\"}");

        Reply sentence = register("approval-error", RegistryUnderTest.unusedSerial());
        assertThat(sentence.status()).isEqualTo(202);
        assertThat(sentence.json().path("status").asText()).isEqualTo("pending");
        assertThat(sentence.json().path("message").asText())
                .isEqualTo("The registration is not decided yet; ask again later");

        Reply old = register("approval-503", RegistryUnderTest.unusedSerial());
        assertUnavailable(old, "verification-unavailable");
        assertThat(old.header("Retry-After")).isPresent();
        assertThat(old.json().path("message").asText()).isNotEmpty();
    }

    @Test
    void entryShowsWhatIsKnownAndItsTagChangesWithTheDecision() {
        String serial = RegistryUnderTest.unusedSerial();
        register(FLEET, serial);

        Reply one = REGISTRY.get(PATH + "/" + id(serial), REGISTRY.asOperator());
        assertThat(one.header("ETag")).contains("\"1\"");
        JsonNode entry = one.json();
        assertThat(entry.path("serial").asText()).isEqualTo(serial);
        assertThat(entry.has("binding")).isFalse();
        assertThat(entry.path("state").asText()).isEqualTo("waiting");
        assertThat(entry.path("origin").asText()).isNotEmpty();
        assertThat(entry.path("tries").asInt()).isEqualTo(1);
        assertThat(entry.path("firstSeen").asText())
                .isEqualTo(entry.path("lastSeen").asText());
        assertThat(entry.path("verifiers")).hasToString("[{\"verifier\":\"approval\",\"verdict\":\"pending\"}]");
        assertThat(entry.path("neighbours").path("sameSerial").asInt()).isZero();
        assertThat(entry.path("neighbours").has("sameOrigin")).isTrue();
        assertThat(entry.path("expiresAt").asText()).isNotEmpty();

        Reply rejected = post("/" + id(serial) + "/reject", "{\"reason\":\"a copy\"}", "If-Match", "\"1\"");
        assertThat(rejected.status()).as(rejected.toString()).isEqualTo(200);
        assertThat(rejected.header("ETag")).contains("\"2\"");
        assertThat(rejected.json().path("state").asText()).isEqualTo("rejected");
        assertThat(rejected.json().path("reason").asText()).isEqualTo("a copy");
        assertProblem(post("/" + id(serial) + "/approve", "{}", "If-Match", "\"1\""), 412, "precondition-failed");
        assertThat(register(FLEET, serial).status()).isEqualTo(400);

        Reply removed = REGISTRY.send("DELETE", PATH + "/" + id(serial), new byte[0], REGISTRY.asOperator());
        assertThat(removed.status()).as(removed.toString()).isEqualTo(204);
        assertThat(register(FLEET, serial).status()).isEqualTo(202);
    }

    @Test
    void serialIsApprovedInAdvanceAndSecondCandidateIsSeen() {
        String serial = RegistryUnderTest.unusedSerial();
        String other = RegistryUnderTest.unusedSerial();
        Reply made =
                post("", "{\"bindings\":{\"" + serial + "\":\"" + BINDING + "\"},\"serials\":[\"" + other + "\"]}");
        assertThat(made.status()).as(made.toString()).isEqualTo(200);
        assertThat(made.json().path("changed").asInt()).isEqualTo(2);

        assertThat(register(FLEET, other).status()).isEqualTo(200);
        assertThat(register(FLEET, serial).status()).isEqualTo(202);
        assertThat(entries(serial)).hasSize(2);
        String waits = entries(serial).stream()
                .filter(entry -> entry.path("state").asText().equals("waiting"))
                .findFirst()
                .orElseThrow()
                .path("id")
                .asText();
        assertThat(post("/" + waits + "/approve", "{}").status()).isEqualTo(200);
        assertThat(entries(serial))
                .extracting(entry -> entry.path("state").asText())
                .containsExactlyInAnyOrder("approved", "rejected");
        assertThat(register(FLEET, serial).status()).isEqualTo(200);
    }

    @Test
    void severalAreDecidedAtOnceAndEveryMatch() {
        List<String> serials = RegistryUnderTest.unusedSerials(3);
        serials.forEach(serial -> assertThat(register(FLEET, serial).status()).isEqualTo(202));

        Reply two = post("/approve", "{\"ids\":[\"" + id(serials.get(0)) + "\",\"" + id(serials.get(1)) + "\"]}");
        assertThat(two.status()).as(two.toString()).isEqualTo(200);
        assertThat(two.text()).isEqualTo("{\"changed\":2,\"unchanged\":0,\"contested\":[],\"more\":false}");
        assertThat(register(FLEET, serials.get(0)).status()).isEqualTo(200);

        String origin = entries(serials.get(2)).get(0).path("origin").asText();
        Reply all = post("/reject", "{\"origin\":\"" + origin + "\"}");
        assertThat(all.json().path("changed").asInt()).as(all.toString()).isGreaterThanOrEqualTo(1);
        assertThat(register(FLEET, serials.get(2)).status()).isEqualTo(400);
        Reply events = REGISTRY.get("api/v1/events?limit=1000", REGISTRY.asOperator());
        assertThat(events.text())
                .contains("approval-requested", "approval-granted", "approval-rejected", "approval-used");
    }

    @Test
    void explainShowsThatTheDecisionIsPending() {
        Reply explained = REGISTRY.post(
                "api/v1/fleets/" + FLEET + "/explain",
                JSON,
                "{\"serial\":\"" + RegistryUnderTest.unusedSerial() + "\",\"binding\":\"" + BINDING + "\"}",
                REGISTRY.asOperator());

        assertThat(explained.json().path("decision").asText())
                .as(explained.toString())
                .isEqualTo("pending");
        assertThat(explained.json().path("rule").asInt()).isEqualTo(6);
        assertThat(explained.json().path("verifiers").path(0).path("verdict").asText())
                .isEqualTo("pending");
    }

    @Test
    void badInputIsNamedAndDecidesNothing() {
        assertThat(pointers(post(
                        "",
                        "{\"bindings\":{\"SN-0001\":\"short\",\"x\":\"" + BINDING
                                + "\"},\"notAfter\":\"2001-01-01T00:00:00Z\",\"why\":1}")))
                .containsExactlyInAnyOrder("#/bindings/SN-0001", "#/bindings/x", "#/notAfter", "#/why");
        assertThat(pointers(post("", "{}"))).containsExactly("#/bindings");
        assertThat(pointers(post("/approve", "{}"))).containsExactly("#/ids");
        assertThat(pointers(post("/approve", "{\"ids\":[\"x\"],\"all\":true}"))).contains("#/ids/0", "#/ids");
        assertProblem(post("/0123/approve", "{}"), 404, "not-found");
        assertProblem(post("/0190b6f0a1b27c3d8e4f5a6b7c8d9e0f/approve", "{}"), 404, "not-found");
        assertProblem(REGISTRY.get(PATH + "?state=open&origin=a&lot=b", REGISTRY.asOperator()), 400, "invalid-request");
        assertProblem(REGISTRY.get("api/v1/fleets/nobody/approvals", REGISTRY.asOperator()), 404, "not-found");
    }

    @Test
    void readingAndDecidingAreRightsOfTheirOwn() {
        String name = "approver" + RegistryUnderTest.unusedSerial();
        Reply made = REGISTRY.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"" + name + "\",\"rights\":[\"approvals:read\"]}",
                REGISTRY.asOperator());
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        String[] reader = bearer(made.json().path("token").asText());

        assertThat(REGISTRY.get(PATH, reader).status()).isEqualTo(200);
        assertProblem(REGISTRY.post(PATH + "/approve", JSON, "{\"all\":true}", reader), 403, "forbidden");
        assertProblem(REGISTRY.get("api/v1/devices", reader), 403, "forbidden");
        assertProblem(REGISTRY.get(PATH), 401, "unauthorized");
    }
}
