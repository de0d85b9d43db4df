// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node is killed in the middle of a long job, and another one goes on. */
@Aside
@Tag("extended")
class KilledJobIT {

    /** Its number is {@code muster.killed-job.rows}. */
    private static final int ROWS = Integer.getInteger("muster.killed-job.rows", 100_000);

    private static final String ADDRESS = "api/v1/fleets/default/jobs/";
    private static final Duration LIMIT = Duration.ofMinutes(5);

    @Test
    void otherNodeFinishesTheImportOfANodeThatIsKilledAtAThird() {
        Path directory = SharedWorld.directory("job-node-1");
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "killed_job");
        try (MusterServer first = MusterServer.start(SharedWorld.settings(directory, properties))) {
            RegistryUnderTest one = new RegistryUnderTest(first, first.operatorToken()).within(LIMIT);
            Map<String, String> others = new TreeMap<>(properties);
            others.put("muster.issuer", one.base().toString().replaceAll("/$", ""));
            others.put(
                    "muster.master-key-file",
                    first.dataDir().resolve("master-key").toString());
            try (MusterServer second =
                    MusterServer.start(SharedWorld.settings(SharedWorld.directory("job-node-2"), others))) {
                RegistryUnderTest two = new RegistryUnderTest(second, first.operatorToken()).within(LIMIT);
                String id = upload(one);
                within(LIMIT, "a third is done", () -> job(one, id).path("done").asInt() >= ROWS / 3);
                boolean firstRuns = isRunBy(first, id);
                assertThat(isRunBy(second, id)).isNotEqualTo(firstRuns);

                (firstRuns ? first : second).kill();

                assertIsFinishedBy(firstRuns ? two : one, id);
            }
        }
    }

    private static String upload(RegistryUnderTest node) {
        String text = "serial,lot\n"
                + IntStream.range(0, ROWS)
                        .mapToObj(i -> (i % 1000 == 999 ? "bad " : "") + "KILLED-" + i + ",2026-11\n")
                        .collect(Collectors.joining());
        Reply accepted = node.post(
                "api/v1/fleets/default/serials/imports", CSV, text.getBytes(StandardCharsets.UTF_8), node.asOperator());
        assertThat(accepted.status()).as(accepted.toString()).isEqualTo(202);
        return accepted.json().path("id").asText();
    }

    private static boolean isRunBy(MusterServer server, String id) {
        try {
            return Files.readString(server.log()).contains("works on the job " + id);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void assertIsFinishedBy(RegistryUnderTest node, String id) {
        assertThat(job(node, id).path("state").asText()).isEqualTo("running");
        within(LIMIT, "the other node has done it", () -> job(node, id).has("endedAt"));

        JsonNode done = job(node, id);
        assertThat(done.path("state").asText()).as(done.toString()).isEqualTo("done");
        assertThat(done.path("done").asInt()).isEqualTo(ROWS);
        assertThat(done.path("failed").asInt()).isEqualTo(ROWS / 1000);
        assertThat(node.get("api/v1/fleets/default/lots/2026-11", node.asOperator())
                        .json()
                        .path("imported")
                        .asInt())
                .isEqualTo(ROWS - ROWS / 1000);
        List<String> results = node.get(ADDRESS + id + "/results", node.asOperator())
                .text()
                .lines()
                .toList();
        assertThat(results).hasSize(ROWS);
        assertThat(new HashSet<>(results)).hasSize(ROWS);
    }

    private static JsonNode job(RegistryUnderTest node, String id) {
        Reply reply = node.get(ADDRESS + id, node.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json();
    }
}
