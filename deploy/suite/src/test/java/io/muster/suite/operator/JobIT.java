// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.ServerKind;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Jobs over HTTP, in a fleet of their own. */
@Tag("portable")
class JobIT {

    private static final String FLEET = "jobs";
    private static final String HERE = "api/v1/fleets/" + FLEET + "/";
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();

    @BeforeAll
    static void fleet() {
        Reply made = REGISTRY.send(
                "PUT",
                "api/v1/fleets/" + FLEET,
                "{\"verifiers\":[\"database\"]}".getBytes(StandardCharsets.UTF_8),
                json());
        assertThat(made.status()).as(made.toString()).isIn(200, 201);
    }

    private static String[] json() {
        List<String> headers = new ArrayList<>(List.of(REGISTRY.asOperator()));
        headers.addAll(List.of("Content-Type", JSON));
        return headers.toArray(String[]::new);
    }

    private static JsonNode accepted(Reply reply) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(202);
        JsonNode job = reply.json();
        assertThat(reply.header("Location").orElseThrow())
                .endsWith("/" + HERE + "jobs/" + job.path("id").asText());
        return job;
    }

    private static JsonNode upload(String csv) {
        return accepted(REGISTRY.post(HERE + "serials/imports", CSV, csv, REGISTRY.asOperator()));
    }

    private static JsonNode job(String body) {
        return accepted(REGISTRY.post(HERE + "jobs", JSON, body, REGISTRY.asOperator()));
    }

    private static Reply get(String path) {
        Reply reply = REGISTRY.get(HERE + path, REGISTRY.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply;
    }

    private static String address(JsonNode job) {
        return "jobs/" + job.path("id").asText();
    }

    private static JsonNode ended(JsonNode job) {
        within(LIMIT, "the job has ended", () -> get(address(job)).json().has("endedAt"));
        return get(address(job)).json();
    }

    private static List<String> serials(int number) {
        return RegistryUnderTest.unusedSerials(number);
    }

    @Test
    void badRowsOfAnImportAreMendedAndSentAgain() {
        List<String> serials = serials(1200);
        // More than any other request may have.
        String name = "A pump of the first floor ".repeat(4);
        String csv = "serial,tags.room,name\r\n"
                + IntStream.range(0, serials.size())
                        .mapToObj(i ->
                                (i % 500 == 7 ? "bad serial " : "") + serials.get(i) + "," + i + "," + name + "\r\n")
                        .collect(Collectors.joining());

        JsonNode dry =
                ended(accepted(REGISTRY.post(HERE + "serials/imports/dry-run", CSV, csv, REGISTRY.asOperator())));
        assertThat(dry.path("dryRun").asBoolean()).isTrue();
        assertThat(dry.path("failed").asInt()).as(dry.toString()).isEqualTo(3);
        assertProblem(REGISTRY.get(HERE + "serials/" + serials.get(0), REGISTRY.asOperator()), 404, "not-found");

        JsonNode job = upload(csv);
        assertThat(job.path("total").asInt()).isEqualTo(1200);
        JsonNode done = ended(job);
        assertThat(done.path("state").asText()).as(done.toString()).isEqualTo("done");
        assertThat(done.path("done").asInt()).isEqualTo(1200);
        assertThat(done.path("failed").asInt()).isEqualTo(3);
        Reply failures = get(address(job) + "/failures");
        assertThat(failures.type()).startsWith("text/csv");
        assertThat(failures.text().lines()).hasSize(4).startsWith("fault,serial,tags.room,name");

        JsonNode again = ended(upload(failures.text().replace("bad serial ", "")));

        assertThat(again.path("done").asInt()).as(again.toString()).isEqualTo(3);
        assertThat(again.path("failed").asInt()).isZero();
        assertThat(get("serials/" + serials.get(507))
                        .json()
                        .path("tags")
                        .path("room")
                        .asText())
                .isEqualTo("507");
        assertThat(get(address(job) + "/results").text().lines())
                .hasSize(1200)
                .startsWith("{\"row\":2,\"serial\":\"" + serials.get(0) + "\",\"outcome\":\"done\"}");
        assertThat(get("jobs?state=done").json().path("jobs").findValuesAsText("id"))
                .contains(job.path("id").asText());
    }

    @Test
    void fiveHundredDevicesAreDisabledByAFilter() throws Exception {
        List<String> serials = serials(500);
        String room = RegistryUnderTest.unusedSerial();
        ended(upload("serial,tags.room\n"
                + serials.stream().map(serial -> serial + "," + room + "\n").collect(Collectors.joining())));
        register(serials);
        String other = REGISTRY.expectedSerial(FLEET);
        REGISTRY.registered(FLEET, other);
        String filter = "tags.room eq \\\"" + room + "\\\"";

        JsonNode dry = ended(job("{\"action\":\"disable\",\"filter\":\"" + filter + "\",\"dryRun\":true}"));
        assertThat(dry.path("done").asInt()).as(dry.toString()).isEqualTo(500);
        assertThat(REGISTRY.devicesOf(serials.get(0)).get(0).path("state").asText())
                .isEqualTo("active");

        JsonNode done = ended(job("{\"action\":\"disable\",\"filter\":\"" + filter + "\"}"));

        assertThat(done.path("state").asText()).as(done.toString()).isEqualTo("done");
        assertThat(done.path("done").asInt()).isEqualTo(500);
        assertThat(done.path("failed").asInt()).isZero();
        assertThat(serials.stream().filter(serial -> REGISTRY.devicesOf(serial)
                        .get(0)
                        .path("state")
                        .asText()
                        .equals("disabled")))
                .hasSize(500);
        assertThat(REGISTRY.devicesOf(other).get(0).path("state").asText()).isEqualTo("active");
        assertThat(get(address(done) + "/failures").body()).isEmpty();
        assertProblem(
                REGISTRY.post(HERE + address(done) + "/cancel", JSON, "{}", REGISTRY.asOperator()), 409, "conflict");
    }

    private static void register(List<String> serials) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            serials.forEach(serial -> all.add(threads.submit(() -> REGISTRY.registered(FLEET, serial))));
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void exportOfSerialsIsImportedAgain() {
        String lot = RegistryUnderTest.unusedSerial();
        List<String> serials = serials(1100);
        ended(upload("serial,lot,name,tags.room,attributes.limit\n"
                + serials.stream()
                        .map(serial -> serial + "," + lot + ",\"Pump, first\",12,7\n")
                        .collect(Collectors.joining())));
        REGISTRY.post(
                HERE + "serials/" + serials.get(3) + "/block", JSON, "{\"reason\":\"lost\"}", REGISTRY.asOperator());
        String filter = "?filter=" + RegistryUnderTest.encoded("lot eq \"" + lot + "\"");
        for (String type : List.of("text/csv", "application/x-ndjson")) {
            String export = exported("serials" + filter, type);
            JsonNode removed = get("serials/" + serials.get(0)).json();
            assertThat(REGISTRY.send("DELETE", HERE + "serials/" + serials.get(0), null, REGISTRY.asOperator())
                            .status())
                    .isEqualTo(204);

            JsonNode again =
                    ended(accepted(REGISTRY.post(HERE + "serials/imports", type, export, REGISTRY.asOperator())));

            assertThat(again.path("done").asInt()).as(again.toString()).isEqualTo(1101);
            assertThat(again.path("failed").asInt()).isZero();
            assertThat(get("serials/" + serials.get(0)).json()).isEqualTo(removed);
            assertThat(get("serials/" + serials.get(3)).json().path("reason").asText())
                    .isEqualTo("lost");
            assertThat(exported("serials" + filter, type)).isEqualTo(export);
        }
    }

    private static String exported(String what, String type) {
        List<String> headers = new ArrayList<>(List.of(REGISTRY.asOperator()));
        headers.addAll(List.of("Accept", type));
        Reply reply = REGISTRY.get(HERE + "exports/" + what, headers.toArray(String[]::new));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.type()).startsWith(type);
        return reply.text();
    }

    /** Otherwise all of a long export would be in memory, for each reader that is slow. */
    @Test
    void exportWaitsForItsReader() throws Exception {
        assumeTrue(
                !Set.of(ServerKind.GLASSFISH, ServerKind.PAYARA)
                        .contains(REGISTRY.server().kind()),
                "these servers keep what a reader has not read, and so need a proxy that does");
        String fleet = "jobs-unread";
        String attributes = IntStream.range(0, 10)
                .mapToObj(i -> "\"a" + i + "\":\"string\"")
                .collect(Collectors.joining(","));
        REGISTRY.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                ("{\"verifiers\":[\"database\"],\"attributes\":{" + attributes + "}}").getBytes(StandardCharsets.UTF_8),
                json());
        String text = ",x".repeat(450);
        String header =
                IntStream.range(0, 10).mapToObj(i -> ",attributes.a" + i).collect(Collectors.joining());
        String row = (",\"" + text + "\"").repeat(10);
        String csv = "serial" + header + "\n"
                + IntStream.range(0, 1000)
                        .mapToObj(i -> "A-%04d".formatted(i) + row + "\n")
                        .collect(Collectors.joining());
        String path = "api/v1/fleets/" + fleet + "/";
        String id = REGISTRY.post(path + "serials/imports", CSV, csv, REGISTRY.asOperator())
                .json()
                .path("id")
                .asText();
        within(
                LIMIT,
                "it is imported",
                () -> REGISTRY.get(path + "jobs/" + id, REGISTRY.asOperator())
                                .json()
                                .path("done")
                                .asInt()
                        == 1000);

        try (Socket reader = new Socket()) {
            reader.setReceiveBufferSize(4096);
            reader.setSoTimeout((int) LIMIT.toMillis());
            reader.connect(new InetSocketAddress(
                    REGISTRY.base().getHost(), REGISTRY.base().getPort()));
            reader.getOutputStream()
                    .write(RawHttp.request(
                            "GET",
                            "/" + path + "exports/serials",
                            null,
                            new byte[0],
                            REGISTRY.asOperator()[0] + ": " + REGISTRY.asOperator()[1]));
            assertThat(reader.getInputStream().read()).isEqualTo('H');
            // A server that does not wait has read all serials meanwhile.
            for (int i = 0; i < 200; i++) {
                REGISTRY.get("health/live");
            }
            REGISTRY.load(fleet, CSV, "serial\nZ-LAST\n".getBytes(StandardCharsets.UTF_8));

            assertThat(new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("A-0000", "A-0999", "Z-LAST")
                    .doesNotContain("INCOMPLETE");
        }
    }

    @Test
    void devicesEventsAndLotsAreExported() {
        String serial = REGISTRY.expectedSerial(FLEET);
        String id = REGISTRY.registered(FLEET, serial).deviceId();
        REGISTRY.change(id, "disable");
        String filter = "?filter=" + RegistryUnderTest.encoded("deviceId eq \"" + id + "\"");

        assertThat(exported("devices" + filter, "text/csv").lines())
                .hasSize(2)
                .startsWith("deviceId,fleet,serial,name,state,tags,attributes,createdAt")
                .element(1)
                .asString()
                .startsWith(id + "," + FLEET + "," + serial + "," + serial + ",disabled,");
        assertThat(Reply.json(
                        exported("devices" + filter, "application/x-ndjson").getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(REGISTRY.listDevices("?fleet=" + FLEET + "&serial=" + serial)
                        .json()
                        .path("devices")
                        .get(0));
        assertThat(exported("events" + filter, "text/csv")).contains("device-disabled");
        assertThat(exported("lots", "text/csv").lines()).startsWith("lot,expected,notBefore,notAfter,paused,imported");
        assertThat(exported("lots", "application/x-ndjson")).isNotNull();
        assertProblem(REGISTRY.get(HERE + "exports/devices?limit=1", REGISTRY.asOperator()), 400, "invalid-request");
    }

    @Test
    void faultsOfARequestAreNamedTogether() {
        Reply reply = REGISTRY.post(
                HERE + "jobs",
                JSON,
                "{\"action\":\"paint\",\"filter\":\"colour eq \\\"red\\\"\",\"reason\":\"why\"}",
                REGISTRY.asOperator());
        assertProblem(reply, 400, "invalid-request");
        assertThat(pointers(reply)).contains("#/action", "#/filter", "#/reason");
        for (String body : List.of(
                "{\"action\":\"disable\"}",
                "{\"action\":\"disable\",\"all\":true,\"filter\":\"serial pr\"}",
                "{\"action\":\"disable\",\"devices\":[]}",
                "{\"action\":\"import-serials\",\"all\":true}",
                "{\"action\":\"tag\",\"all\":true}",
                "{\"action\":\"tag\",\"all\":true,\"tags\":{\"serial\":\"x\"}}")) {
            assertProblem(REGISTRY.post(HERE + "jobs", JSON, body, REGISTRY.asOperator()), 400, "invalid-request");
        }
        assertProblem(
                REGISTRY.post(HERE + "serials/imports", CSV, "name\nx\n", REGISTRY.asOperator()),
                400,
                "invalid-request");
        assertProblem(
                REGISTRY.post(HERE + "serials/imports", JSON, "[]", REGISTRY.asOperator()),
                415,
                "unsupported-media-type");
    }

    @Test
    void rightsAreChecked() {
        JsonNode job = ended(upload("serial\n" + RegistryUnderTest.unusedSerial()));
        String name = RegistryUnderTest.unusedSerial().toLowerCase(java.util.Locale.ROOT);
        Reply made = REGISTRY.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"" + name + "\",\"rights\":[\"jobs:read\"]}",
                REGISTRY.asOperator());
        String[] reader = bearer(made.json().path("token").asText());

        assertThat(REGISTRY.get(HERE + "jobs", reader).status()).isEqualTo(200);
        assertThat(REGISTRY.get(HERE + address(job) + "/results", reader).status())
                .isEqualTo(200);
        assertProblem(REGISTRY.get(HERE + address(job) + "/failures", reader), 403, "forbidden");
        assertProblem(REGISTRY.post(HERE + address(job) + "/cancel", JSON, "{}", reader), 403, "forbidden");
        assertProblem(
                REGISTRY.post(HERE + "jobs", JSON, "{\"action\":\"disable\",\"all\":true}", reader), 403, "forbidden");
        assertProblem(REGISTRY.post(HERE + "serials/imports", CSV, "serial\nx", reader), 403, "forbidden");
        assertProblem(REGISTRY.get("api/v1/fleets/default/" + address(job), REGISTRY.asOperator()), 404, "not-found");
    }
}
