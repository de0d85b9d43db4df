// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.standardwebhooks.Webhook;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import io.muster.webhook.Receiver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Webhooks over HTTP, with receivers that are good and bad, on a registry of its own. */
@Order(10)
@Aside
class WebhookIT {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Receiver RECEIVER = new Receiver();
    private static MusterServer server;
    private static RegistryUnderTest registry;

    @TempDir
    Path directory;

    @BeforeAll
    static void start() {
        server = MusterServer.start(SharedWorld.settings(
                SharedWorld.directory("webhooks"),
                Map.of(
                        "muster.webhooks.private-hosts", RECEIVER.host(),
                        "muster.webhooks.timeout", "PT2S",
                        "muster.verifier.person.type", "approval",
                        "muster.verifier.person.retry-after", "PT1S")));
        registry = new RegistryUnderTest(server, server.operatorToken());
    }

    @AfterAll
    static void stop() {
        server.close();
        RECEIVER.close();
    }

    private static Reply send(String method, String path, String json, String... headers) {
        List<String> all = new ArrayList<>(List.of(registry.asOperator()));
        all.addAll(List.of("Content-Type", JSON));
        all.addAll(List.of(headers));
        return registry.send(
                method,
                "api/v1/fleets/" + path,
                json == null ? null : json.getBytes(StandardCharsets.UTF_8),
                all.toArray(String[]::new));
    }

    private static String fleet(String name, String verifiers) {
        Reply reply = send("PUT", name, "{\"verifiers\":[" + verifiers + "]}");
        assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
        return name;
    }

    private static JsonNode webhook(String fleet, String path, String types) {
        Reply made = send(
                "POST",
                fleet + "/webhooks",
                "{\"url\":\"" + RECEIVER.url(path) + "\",\"types\":[" + types + "],\"description\":\"a test\"}");
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        return made.json();
    }

    private static String address(JsonNode webhook) {
        return webhook.path("fleet").asText() + "/webhooks/"
                + webhook.path("id").asText();
    }

    private static JsonNode get(String path) {
        Reply reply = send("GET", path, null);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json();
    }

    private static List<JsonNode> deliveries(JsonNode webhook, String query) {
        List<JsonNode> all = new ArrayList<>();
        get(address(webhook) + "/deliveries" + query).path("deliveries").forEach(all::add);
        return all;
    }

    private static List<Receiver.Message> about(String path, String serial) {
        return RECEIVER.messages(path).stream()
                .filter(message -> message.body().contains("\"" + serial + "\""))
                .toList();
    }

    private static void isSigned(String secret, Receiver.Message message) throws Exception {
        new Webhook(secret)
                .verify(
                        message.body(),
                        Map.of(
                                "webhook-id", List.of(message.id()),
                                "webhook-timestamp", List.of(Long.toString(message.timestamp())),
                                "webhook-signature", List.of(String.join(" ", message.signatures()))));
    }

    @Test
    void receiverApprovesADeviceThatThenRegistersByItself() throws Exception {
        String fleet = fleet("watched", "\"person\"");
        String serial = RegistryUnderTest.unusedSerial();
        Reply bot = registry.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"bot\",\"rights\":[\"approvals:read\",\"approvals:write\"]}",
                registry.asOperator());
        String token = bot.json().path("token").asText();
        RECEIVER.answers(message -> approve(token, message));
        JsonNode made = webhook(fleet, "/good", "\"approval-requested\",\"registered\"");

        Ended device = Processes.java(
                directory,
                Map.of(),
                List.of(
                        "-jar",
                        System.getProperty("muster-device.jar"),
                        "register",
                        "--registry",
                        registry.base().toString(),
                        "--fleet",
                        fleet,
                        "--serial",
                        serial,
                        "--give-up-after",
                        "PT150S"));

        assertThat(device.status()).as(device.all()).isZero();
        assertThat(registry.devicesOf(serial)).hasSize(1);
        within(LIMIT, "it is told too", () -> about("/good", serial).size() == 2);
        for (Receiver.Message message : about("/good", serial)) {
            isSigned(made.path("secret").asText(), message);
        }
        assertThat(about("/good", serial).get(1).body()).contains("\"type\":\"registered\"");
    }

    private static int approve(String token, Receiver.Message message) {
        try {
            JsonNode event = MAPPER.readTree(message.body());
            if (event.path("type").asText().equals("approval-requested")) {
                String approvals = "api/v1/fleets/watched/approvals";
                String id = registry.get(
                                approvals + "?serial="
                                        + event.path("data").path("serial").asText(),
                                bearer(token))
                        .json()
                        .path("approvals")
                        .get(0)
                        .path("id")
                        .asText();
                return registry.post(approvals + "/" + id + "/approve", JSON, "{}", bearer(token))
                        .status();
            }
            return 204;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void badReceiversHarmNobody() {
        String fleet = fleet("busy", "\"database\"");
        JsonNode hanging = webhook(fleet, "/hanging", "\"refused\"");
        JsonNode redirecting = webhook(fleet, "/redirecting", "\"refused\"");
        JsonNode endless = webhook(fleet, "/endless", "\"refused\"");
        JsonNode gone = webhook(fleet, "/gone", "\"refused\"");
        List<String> first = RegistryUnderTest.unusedSerials(5);
        first.forEach(serial ->
                assertThat(registry.registerIn(fleet, serial).status()).isEqualTo(400));
        within(LIMIT, "it hangs", () -> !about("/hanging", first.get(0)).isEmpty());
        JsonNode good = webhook(fleet, "/good", "\"refused\"");
        RECEIVER.answers(message -> 200);
        List<String> serials = RegistryUnderTest.unusedSerials(20);
        serials.forEach(serial ->
                assertThat(registry.registerIn(fleet, serial).status()).isEqualTo(400));

        within(LIMIT, "the good receiver gets all", () -> serials.stream()
                .allMatch(serial -> about("/good", serial).size() == 1));
        within(
                LIMIT,
                "all is recorded",
                // Refusals are recorded once a second, so some of the first ones may be among them.
                () -> deliveries(good, "?state=delivered").size() >= 20
                        && deliveries(good, "?state=waiting").isEmpty());
        within(LIMIT, "the others fail", () -> List.of(hanging, redirecting, endless).stream()
                .allMatch(bad -> get(address(bad)).has("failingSince")));
        assertThat(get(address(redirecting)).path("lastError").asText()).isEqualTo("status 307");
        assertThat(get(address(endless)).path("lastError").asText()).contains("more than 65536 bytes");
        assertThat(get(address(hanging)).path("lastError").asText()).contains("did not answer within PT2S");
        within(LIMIT, "it is disabled", () -> !get(address(gone))
                .path("enabled")
                .asBoolean());
        JsonNode dead = deliveries(gone, "?state=dead").get(0);
        assertThat(dead.path("lastAttempt").path("status").asInt()).isEqualTo(410);
    }

    @Test
    void webhookIsMadeChangedTestedAndDeleted() throws Exception {
        String fleet = fleet("office", "\"database\"");
        RECEIVER.answers(message -> 200);
        JsonNode made = webhook(fleet, "/good", "\"refused\"");
        String secret = made.path("secret").asText();
        assertThat(secret).startsWith("whsec_");
        Reply read = send("GET", address(made), null);
        assertThat(read.header("ETag")).contains("\"1\"");
        assertThat(read.text()).doesNotContain("whsec_");

        Reply test = send("POST", address(made) + "/test", "");
        assertThat(test.status()).as(test.toString()).isEqualTo(200);
        assertThat(test.json().path("accepted").asBoolean()).isTrue();
        assertThat(test.json().path("status").asInt()).isEqualTo(200);
        RECEIVER.answers(message -> 418);
        assertThat(send("POST", address(made) + "/test", "")
                        .json()
                        .path("error")
                        .asText())
                .isEqualTo("status 418");

        Reply rotated = send("POST", address(made) + "/rotate", "{}", "If-Match", "\"1\"");
        assertThat(rotated.status()).as(rotated.toString()).isEqualTo(200);
        assertThat(rotated.header("ETag")).contains("\"2\"");
        String second = rotated.json().path("secret").asText();
        assertThat(second).startsWith("whsec_").isNotEqualTo(secret);
        assertThat(get(address(made)).has("secondSecretUntil")).isTrue();
        String serial = RegistryUnderTest.unusedSerial();
        registry.registerIn(fleet, serial);
        within(LIMIT, "it comes", () -> !about("/good", serial).isEmpty());
        isSigned(secret, about("/good", serial).get(0));
        isSigned(second, about("/good", serial).get(0));

        within(LIMIT, "it failed", () -> deliveries(made, "?state=waiting").stream()
                .anyMatch(one -> one.path("attempts").asInt() == 1));
        String id = deliveries(made, "").get(0).path("id").asText();
        assertThat(get(address(made) + "/deliveries/" + id)
                        .path("body")
                        .path("data")
                        .path("serial")
                        .asText())
                .isEqualTo(serial);
        RECEIVER.answers(message -> 200);
        within(
                LIMIT,
                "it is sent again",
                () -> deliveries(made, "?state=delivered").size() == 1);
        assertThat(send("POST", address(made) + "/deliveries/" + id + "/resend", "")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("waiting");
        within(LIMIT, "it comes once more", () -> about("/good", serial).size() >= 3);
        assertThat(about("/good", serial).stream().map(Receiver.Message::id).distinct())
                .containsExactly(id);
        assertThat(send("POST", address(made) + "/deliveries/resend", "")
                        .json()
                        .path("changed")
                        .asInt())
                .isZero();

        String form = "{\"url\":\"" + RECEIVER.url("/good") + "\",\"enabled\":false}";
        assertProblem(send("PUT", address(made), form, "If-Match", "\"1\""), 412, "precondition-failed");
        Reply put = send("PUT", address(made), form, "If-Match", "\"2\"");
        assertThat(put.status()).as(put.toString()).isEqualTo(200);
        assertThat(put.json().has("types")).isFalse();
        assertThat(put.json().path("enabled").asBoolean()).isFalse();
        assertThat(get(fleet + "/webhooks").path("webhooks")).hasSize(1);
        assertThat(send("DELETE", address(made), null).status()).isEqualTo(204);
        assertProblem(send("GET", address(made), null), 404, "not-found");
        assertThat(Files.readString(server.log())).doesNotContain(secret, second);
    }

    @Test
    void everyFaultOfAWebhookIsNamed() {
        String fleet = fleet("faulty", "\"database\"");

        Reply reply = send(
                "POST",
                fleet + "/webhooks",
                "{\"url\":\"http://169.254.169.254/\",\"types\":[\"lunch\"],\"enabled\":\"yes\",\"secret\":\"x\"}");
        assertProblem(reply, 400, "invalid-request");
        assertThat(ProblemAssert.pointers(reply)).hasSize(4);
        assertProblem(send("POST", fleet + "/webhooks", "{}"), 400, "invalid-request");
        assertProblem(send("POST", "nowhere/webhooks", "{\"url\":\"https://x.example/\"}"), 404, "not-found");
    }

    @Test
    void whatWasRecordedBeforeAKillIsSentAfterTheNextStart() {
        String fleet = fleet("killed", "\"database\"");
        RECEIVER.answers(message -> 503);
        JsonNode made = webhook(fleet, "/good", "\"serial-blocked\"");
        List<String> serials = RegistryUnderTest.unusedSerials(10);
        serials.forEach(serial -> assertThat(send("POST", fleet + "/serials/" + serial + "/block", "{}")
                        .status())
                .isEqualTo(200));
        server.kill();
        server.restart();
        RECEIVER.answers(message -> 200);

        within(Duration.ofSeconds(150), "all come", () -> IntStream.range(0, 10)
                .allMatch(i -> !about("/good", serials.get(i)).isEmpty()
                        && deliveries(made, "?state=delivered").size() == 10));
    }
}
