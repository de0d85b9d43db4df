// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A refusal does not tell why: unknown, blocked, taken and disabled look the same. {@link RefusalTimeIT} measures the
 * time.
 */
@Tag("portable")
class RefusalIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    /** A serial for each reason. */
    private static final Map<String, String> SERIALS = new LinkedHashMap<>();

    @BeforeAll
    static void refusedForEveryReason() throws SQLException {
        SERIALS.put("unknown", RegistryUnderTest.unusedSerial());
        String blocked = REGISTRY.expectedSerial();
        block(blocked);
        SERIALS.put("blocked", blocked);
        Registered taken = REGISTRY.newDevice();
        REGISTRY.accessToken(taken);
        SERIALS.put("taken", taken.serial());
        Registered disabled = REGISTRY.newDevice();
        REGISTRY.change(disabled.deviceId(), "disable");
        SERIALS.put("disabled", disabled.serial());
    }

    /** There is no other way yet. */
    private static void block(String serial) throws SQLException {
        MariaDbServer server = SharedWorld.mariaDb();
        try (Connection connection =
                        DriverManager.getConnection(server.jdbcUrl("shared"), server.user(), server.password());
                PreparedStatement update =
                        connection.prepareStatement("UPDATE expected_serial SET state = 'B' WHERE serial = ?")) {
            update.setString(1, serial);
            assertThat(update.executeUpdate()).isEqualTo(1);
        }
    }

    private static Map<String, Object> shape(Reply reply) {
        Map<String, Object> shape = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        shape.putAll(reply.headers());
        shape.remove("Date");
        JsonNode body = reply.json();
        ((ObjectNode) body).remove("instance");
        shape.put("body", body);
        shape.put("bytes", reply.body().length);
        shape.put("status", reply.status());
        return shape;
    }

    @Test
    void everyReasonGetsTheSameAnswer() {
        Map<String, Object> unknown = shape(REGISTRY.register(SERIALS.get("unknown")));

        SERIALS.forEach((reason, serial) -> {
            Reply reply = REGISTRY.register(serial);
            assertProblem(reply, 400, "registration-refused");
            assertThat(shape(reply)).as(reason).isEqualTo(unknown);
            assertThat(reply.text()).doesNotContain(serial, "detail", "errors");
        });
    }

    @Test
    void refusalTakesAtLeastAsLongAsConfigured() {
        SERIALS.forEach((reason, serial) -> {
            long started = System.nanoTime();
            REGISTRY.register(serial);
            assertThat(Duration.ofNanos(System.nanoTime() - started))
                    .as(reason)
                    .isGreaterThanOrEqualTo(Duration.ofMillis(50));
        });
    }

    @Test
    void nothingIsCreatedAndTheOperatorReadsTheReason() {
        SERIALS.values().forEach(REGISTRY::register);

        assertThat(REGISTRY.devicesOf(SERIALS.get("unknown"))).isEmpty();
        assertThat(REGISTRY.devicesOf(SERIALS.get("blocked"))).isEmpty();
        String newest = SERIALS.get("disabled");
        Within.within(Duration.ofSeconds(10), "refusals are recorded", () -> events().contains(newest));
        String events = events();
        assertThat(events).contains(SERIALS.values());
        assertThat(events).contains("blocked", "was used", "is disabled");
    }

    private static String events() {
        return REGISTRY.get("api/v1/events?limit=50", REGISTRY.asOperator()).text();
    }

    @Test
    void serialOfAnotherFleetIsUnknownHere() {
        String serial = RegistryUnderTest.unusedSerial();
        REGISTRY.expect("never", java.util.List.of(serial));

        assertProblem(REGISTRY.register(serial), 400, "registration-refused");
        assertThat(REGISTRY.registerIn("never", serial).status()).isEqualTo(200);
        assertProblem(REGISTRY.registerIn("never", serial), 400, "registration-refused");
    }

    @Test
    void fleetThatAlwaysAdmitsGivesAFurtherCredential() {
        String serial = RegistryUnderTest.unusedSerial();
        REGISTRY.expect("always", java.util.List.of(serial));

        Registered first = RegistryUnderTest.receipt(serial, REGISTRY.registerIn("always", serial));
        assertThat(REGISTRY.token(first).status()).isEqualTo(200);
        Registered second = RegistryUnderTest.receipt(serial, REGISTRY.registerIn("always", serial));

        assertThat(second.deviceId()).isEqualTo(first.deviceId());
        assertThat(REGISTRY.token(first).status()).isEqualTo(200);
        assertThat(REGISTRY.token(second).status()).isEqualTo(200);
    }
}
