// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Streams of events on two nodes, in fleets of their own. */
@Tag("extended")
class EventStreamIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String MINE = "streams-mine";
    private static final String OTHER = "streams-other";

    private final RegistryUnderTest here = SharedWorld.onMariaDb();
    private final RegistryUnderTest there = SharedWorld.secondNode();

    /** A stream that a thread reads. */
    private static final class Reader implements AutoCloseable {

        private final List<String> lines = new CopyOnWriteArrayList<>();
        private final HttpResponse<Stream<String>> response;
        private final Thread thread;

        Reader(RegistryUnderTest node, String path, String... headers) throws Exception {
            HttpRequest request = HttpRequest.newBuilder(node.base().resolve(path))
                    .headers(headers)
                    .timeout(LIMIT)
                    .build();
            response = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .build()
                    .send(request, HttpResponse.BodyHandlers.ofLines());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.headers().firstValue("Content-Type").orElseThrow())
                    .startsWith("text/event-stream");
            thread = new Thread(this::read, "reader");
            thread.setDaemon(true);
            thread.start();
        }

        private void read() {
            try (Stream<String> body = response.body()) {
                body.forEach(lines::add);
            } catch (UncheckedIOException e) {
                lines.add("cut off");
            }
        }

        List<String> of(String name) {
            return lines.stream()
                    .filter(line -> line.startsWith(name + ": "))
                    .map(line -> line.substring(name.length() + 2))
                    .toList();
        }

        /** The ids of events, and not of comments. */
        List<String> ids() {
            return of("id").stream().filter(id -> id.contains("-")).toList();
        }

        boolean hasEnded() {
            return !thread.isAlive();
        }

        @Override
        public void close() {
            thread.interrupt();
            response.body().close();
        }
    }

    private void fleet(String name) {
        List<String> headers = new ArrayList<>(List.of(here.asOperator()));
        headers.addAll(List.of("Content-Type", JSON));
        Reply reply = here.send(
                "PUT",
                "api/v1/fleets/" + name,
                "{\"verifiers\":[\"database\"]}".getBytes(StandardCharsets.UTF_8),
                headers.toArray(String[]::new));
        assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
    }

    private JsonNode viewer() {
        Reply made = here.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"" + RegistryUnderTest.unusedSerial() + "\",\"grants\":[{\"role\":\"viewer\",\"fleets\":[\""
                        + MINE + "\"]}]}",
                here.asOperator());
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        return made.json();
    }

    @Test
    void streamGoesOnOnTheOtherNodeWithoutAGapAndHasNothingOfAnotherFleet() throws Exception {
        fleet(MINE);
        fleet(OTHER);
        JsonNode viewer = viewer();
        String[] as = bearer(viewer.path("token").asText());
        List<String> serials = RegistryUnderTest.unusedSerials(6);
        try (Reader mine = new Reader(here, "api/v1/events/stream", as);
                Reader one = new Reader(
                        there,
                        "api/v1/events/stream?fleet=" + OTHER + "&type=refused&filter=serial%20eq%20%22"
                                + serials.get(5) + "%22",
                        here.asOperator())) {
            for (String serial : serials) {
                here.registerIn(MINE, serial);
                there.registerIn(OTHER, serial);
            }
            within(LIMIT, "all six", () -> serials.stream()
                    .allMatch(serial -> mine.of("data").stream().anyMatch(data -> data.contains(serial))));
            within(LIMIT, "the one", () -> !one.ids().isEmpty());
            assertThat(one.of("data"))
                    .singleElement()
                    .asString()
                    .contains(serials.get(5))
                    .contains(OTHER);
            assertThat(mine.of("data")).allMatch(data -> data.contains("\"fleet\":\"" + MINE + "\""));
            List<String> ids = mine.ids();
            assertThat(ids).doesNotHaveDuplicates();
            assertThat(metric(here)).isGreaterThanOrEqualTo(1);

            for (int from : List.of(0, ids.size() - 3)) {
                String[] resumed = {as[0], as[1], "Last-Event-ID", ids.get(from)};
                try (Reader again = new Reader(there, "api/v1/events/stream", resumed)) {
                    within(LIMIT, "the rest", () -> again.ids().size() >= ids.size() - from - 1);
                    assertThat(again.ids()).isEqualTo(mine.ids().subList(from + 1, ids.size()));
                }
            }

            assertThat(here.send(
                                    "DELETE",
                                    "api/v1/operators/" + viewer.path("id").asText(),
                                    null,
                                    here.asOperator())
                            .status())
                    .isEqualTo(204);
            within(LIMIT, "it has ended", mine::hasEnded);
            assertThat(one.hasEnded()).isFalse();
        }
    }

    private static double metric(RegistryUnderTest node) {
        return node.get("metrics", node.asOperator())
                .text()
                .lines()
                .filter(line -> line.startsWith("muster_streams_open "))
                .mapToDouble(line -> Double.parseDouble(line.split(" ")[1]))
                .sum();
    }

    @Test
    void whatIsWrongAndWhatIsTooMuchIsRefused() throws Exception {
        fleet(MINE);
        fleet(OTHER);
        String[] as = bearer(viewer().path("token").asText());
        String stream = "api/v1/events/stream";
        Reply wrong = here.get(stream + "?type=x&filter=y", as[0], as[1], "Last-Event-ID", "z");
        assertProblem(wrong, 400, "invalid-request");
        assertThat(wrong.json().path("errors").size()).isGreaterThanOrEqualTo(3);
        assertProblem(here.get(stream + "?fleet=" + OTHER, as), 404, "not-found");
        assertThat(here.send("HEAD", stream, null, as).status()).isEqualTo(200);
        List<Reader> open = new ArrayList<>();
        try {
            for (int i = 0; i < 10; i++) {
                open.add(new Reader(here, stream, as));
            }
            assertUnavailable(here.get(stream, as), "service-unavailable");
        } finally {
            open.forEach(Reader::close);
        }
        within(LIMIT, "a closed one is forgotten", () -> {
            try (Reader next = new Reader(here, stream, as)) {
                return !next.hasEnded();
            } catch (AssertionError e) {
                return false;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void jobTellsItsProgressAndItsStreamEnds() throws Exception {
        fleet(MINE);
        String csv = "serial\r\n" + String.join("\r\n", RegistryUnderTest.unusedSerials(300)) + "\r\n";
        JsonNode job = here.post("api/v1/fleets/" + MINE + "/serials/imports", CSV, csv, here.asOperator())
                .json();
        try (Reader progress = new Reader(
                there, "api/v1/fleets/" + MINE + "/jobs/" + job.path("id").asText() + "/stream", here.asOperator())) {
            within(LIMIT, "it has ended", progress::hasEnded);
            assertThat(progress.of("event")).isNotEmpty().containsOnly("job");
            List<String> data = progress.of("data");
            assertThat(data.get(data.size() - 1)).contains("\"state\":\"done\"").contains("\"done\":300");
            assertThat(progress.lines).doesNotContain("cut off");
        }
    }
}
