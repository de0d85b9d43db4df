// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The numbers for charts over HTTP, on a registry of its own, which writes them when it stops. */
@Tag("extended")
class StatisticsIT {

    private static final String SINCE = "from=2026-01-01T00:00:00Z";
    private static MusterServer server;
    private static RegistryUnderTest registry;

    @BeforeAll
    static void count() {
        server = MusterServer.start(
                SharedWorld.settings(SharedWorld.directory("statistics"), Map.of("muster.fleets", "pumps, valves")));
        registry = new RegistryUnderTest(server, server.operatorToken());
        Registered device = registry.registered("pumps", registry.expectedSerial("pumps"));
        registry.accessToken(device);
        registry.accessToken(device);
        registry.registered("valves", registry.expectedSerial("valves"));
        assertThat(registry.registerIn("pumps", RegistryUnderTest.unusedSerial())
                        .status())
                .isEqualTo(400);
        server.restart();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Reply read(String query, String... headers) {
        return registry.get("api/v1/statistics?" + query, headers.length == 0 ? registry.asOperator() : headers);
    }

    /** Returns the sums of all pages by fleet and kind. */
    private static Map<String, Long> sums(String query, int limit, String... headers) {
        Map<String, Long> sums = new TreeMap<>();
        String cursor = "";
        do {
            Reply reply = read(query + "&limit=" + limit + cursor, headers);
            assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            JsonNode page = reply.json();
            assertThat(page.path("statistics").size()).isLessThanOrEqualTo(limit);
            page.path("statistics")
                    .forEach(one -> sums.merge(
                            one.path("fleet").asText() + " " + one.path("kind").asText(),
                            one.path("count").longValue(),
                            Long::sum));
            cursor = page.has("next")
                    ? "&cursor=" + RegistryUnderTest.encoded(page.path("next").asText())
                    : "";
        } while (!cursor.isEmpty());
        return sums;
    }

    @Test
    void registrationsRefusalsAndTokensAreThereAfterAStopInPagesOfAnySize() {
        Map<String, Long> all =
                Map.of("pumps new", 1L, "pumps refused-unproved", 1L, "pumps token", 2L, "valves new", 1L);
        assertThat(sums(SINCE, 1000)).isEqualTo(all);
        assertThat(sums(SINCE, 1)).isEqualTo(all);
        assertThat(sums(SINCE + "&fleet=valves", 10)).isEqualTo(Map.of("valves new", 1L));
        assertThat(sums(SINCE + "&kind=new", 1)).isEqualTo(Map.of("pumps new", 1L, "valves new", 1L));
        assertThat(sums("from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", 10))
                .isEmpty();
    }

    @Test
    void operatorSeesFleetsOfItsGrantsAlone() {
        Reply made = registry.post(
                "api/v1/operators",
                "application/json",
                "{\"name\":\"vera\",\"grants\":[{\"role\":\"viewer\",\"fleets\":[\"valves\"]}]}",
                registry.asOperator());
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        String[] vera = RegistryUnderTest.bearer(made.json().path("token").asText());

        assertThat(sums(SINCE, 1, vera)).isEqualTo(Map.of("valves new", 1L));
        assertProblem(read("fleet=pumps", vera), 404, "not-found");
        assertProblem(read("fleet=nobody", vera), 404, "not-found");
        assertProblem(read("fleet=nobody"), 404, "not-found");
        // A cursor is no way into another fleet.
        assertThat(read(SINCE + "&cursor=pumps/new/0", vera).text()).doesNotContain("pumps");
    }

    @Test
    void everyFaultIsNamed() {
        Reply reply = read("kind=x&from=yesterday&cursor=1&limit=0");
        assertProblem(reply, 400, "invalid-request");
        assertThat(reply.json().path("errors")).hasSize(4);
        assertProblem(read("from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z"), 400, "invalid-request");
    }
}
