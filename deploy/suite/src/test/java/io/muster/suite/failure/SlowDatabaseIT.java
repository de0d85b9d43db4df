// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.persistence.MariaDbServer;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * The database answers, except for the lists and counts of operators: a table is locked for as long as a test demands.
 */
@Tag("timing")
@Tag("extended")
@Aside
@ResourceLock("SharedWorld.disposable")
class SlowDatabaseIT {

    private static final String JSON = "application/json";

    /** The database ends a statement after five seconds, and the driver would after ten. */
    private static final Duration ENDED = Duration.ofSeconds(9);

    private final RegistryUnderTest registry = SharedWorld.disposable().registry();
    private final MariaDbServer mariaDb = SharedWorld.disposable().mariaDb();

    private interface Work {
        void run() throws Exception;
    }

    /** Does some work while nobody else can read the table. */
    private void withLocked(String table, Work work) throws Exception {
        try (Connection connection =
                        DriverManager.getConnection(mariaDb.jdbcUrl("muster"), mariaDb.user(), mariaDb.password());
                Statement statement = connection.createStatement()) {
            statement.execute("LOCK TABLES " + table + " WRITE");
            work.run();
        }
    }

    private Reply operator(String method, String path, String body) {
        return registry.send(
                method,
                path,
                body.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                JSON);
    }

    @Test
    void listsThatTakeTooLongAreNoOutageAndDevicesGoOnMeanwhile() throws Exception {
        String expected = registry.expectedSerial();
        Registered device = registry.newDevice();
        ExecutorService operators = Executors.newFixedThreadPool(12);
        try {
            withLocked("audit_event", () -> {
                long started = System.nanoTime();
                List<Future<Reply>> lists = new ArrayList<>();
                for (int i = 0; i < 12; i++) {
                    lists.add(operators.submit(() -> registry.get("api/v1/events", registry.asOperator())));
                }
                assertThat(registry.register(expected).status()).isEqualTo(200);
                assertThat(registry.token(device).status()).isEqualTo(200);
                List<String> answers = new ArrayList<>();
                for (Future<Reply> list : lists) {
                    Reply reply = list.get();
                    String answer = reply.json().path("type").asText().substring("urn:muster:problem:".length());
                    answers.add(answer);
                    assertUnavailable(reply, answer);
                }
                assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(ENDED));
                assertThat(answers).containsOnly("too-slow", "too-busy").contains("too-slow", "too-busy");
            });
        } finally {
            operators.shutdownNow();
        }
        assertThat(registry.get("api/v1/events", registry.asOperator()).status())
                .isEqualTo(200);
    }

    @Test
    void whatCannotBeCountedKeepsNobodyFromRevoking() throws Exception {
        Registered device = registry.newDevice();
        withLocked("device_tag", () -> {
            Reply ordered =
                    operator("POST", "api/v1/fleets/default/revocations", "{\"lot\":\"any\",\"reason\":\"a test\"}");
            assertThat(ordered.status()).as(ordered.toString()).isEqualTo(201);
            assertThat(ordered.json().has("devices")).isFalse();
        });
        assertThat(registry.token(device).status()).isEqualTo(200);
    }

    @Test
    void whatWasStoredIsAnsweredAsStoredWhateverCanBeReadAfterwards() throws Exception {
        Registered device = registry.newDevice();
        withLocked("device_tag", () -> {
            Reply disabled = registry.change(device.deviceId(), "disable");
            assertThat(disabled.status()).as(disabled.toString()).isEqualTo(200);
            assertThat(disabled.json().path("state").asText()).isEqualTo("disabled");
            assertThat(disabled.json().path("incomplete").booleanValue()).isTrue();
            assertThat(disabled.json().has("tags")).isFalse();
        });
        withLocked("device", () -> {
            Reply lot = operator("PUT", "api/v1/fleets/default/lots/" + device.serial(), "{\"expected\":7}");
            assertThat(lot.status()).as(lot.toString()).isEqualTo(200);
            assertThat(lot.json().path("expected").asInt()).isEqualTo(7);
            assertThat(lot.json().path("incomplete").booleanValue()).isTrue();
            assertThat(lot.json().has("registered")).isFalse();
        });
        assertThat(registry.token(device).status()).isNotEqualTo(200);
    }
}
