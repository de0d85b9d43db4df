// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.persistence.MariaDbServer;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.BrokerQuestions;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/** The database becomes unreachable and comes back. The registry reports that, and needs no restart. */
@Tag("timing")
@Tag("extended")
@Aside
@Order(6)
@ResourceLock("SharedWorld.disposable")
class DatabaseAwayIT {

    /** A second to wait for a connection, and some for a busy machine. */
    private static final Duration SOON = Duration.ofSeconds(5);

    /** A statement that was under way waits for the driver's ten seconds. */
    private static final Duration AT_LAST = Duration.ofSeconds(15);

    private final RegistryUnderTest registry = SharedWorld.disposable().registry();
    private final MariaDbServer mariaDb = SharedWorld.disposable().mariaDb();

    @AfterEach
    void isThereAgain() {
        mariaDb.thaw();
        within(
                Duration.ofSeconds(30),
                "ready again",
                () -> registry.get("health/ready").status() == 200);
    }

    private static Reply timed(Duration limit, String what, Supplier<Reply> request) {
        long started = System.nanoTime();
        Reply reply = request.get();
        assertThat(Duration.ofNanos(System.nanoTime() - started)).as(what).isLessThan(TimeLimit.of(limit));
        return reply;
    }

    private void assertSaysNoWithin(Duration limit, String expected, Registered device, String token) {
        Map<String, Supplier<Reply>> requests = new LinkedHashMap<>();
        requests.put("register", () -> registry.register(expected));
        requests.put("register with a serial that is not known", () -> registry.register("SN-nobody"));
        requests.put("token", () -> registry.token(device));
        requests.put("token with an unknown key", () -> registry.token("nobody", device.secret()));
        requests.put("introspect", () -> registry.introspect(token));
        requests.put("own record", () -> registry.ownRecord(token));
        requests.put("list", () -> registry.listDevices("?limit=1"));
        requests.put("disable", () -> registry.change(device.deviceId(), "disable"));
        requests.put("load", () -> registry.load("serial\nSN-0001\n"));
        requests.forEach((what, request) -> {
            Reply reply = timed(limit, what, request);
            assertUnavailable(
                    reply,
                    what.startsWith("register")
                            ? reply.json().path("type").asText().substring(19)
                            : "service-unavailable");
            // In either case, a fleet that waits for its turns does not ask every second.
            assertThat(Integer.parseInt(reply.header("Retry-After").orElseThrow()))
                    .as(what)
                    .isBetween(5, 600);
        });
        // With the right secret: no broker gets a yes, or an answer that it could take for no opinion.
        long asked = System.nanoTime();
        assertThat(BrokerQuestions.notRefused(registry, device)).isEmpty();
        assertThat(Duration.ofNanos(System.nanoTime() - asked))
                .as("ten questions at once")
                .isLessThan(TimeLimit.of(limit.multipliedBy(2)));
        Reply ready = timed(limit, "ready", () -> registry.get("health/ready"));
        assertThat(ready.status()).isEqualTo(503);
        assertThat(ready.text()).isEqualTo("{\"status\":\"DOWN\"}");
        assertThat(timed(SOON, "live", () -> registry.get("health/live")).status())
                .isEqualTo(200);
        assertThat(timed(SOON, "keys", () -> registry.get(".well-known/jwks.json"))
                        .status())
                .isEqualTo(200);
        assertThat(timed(SOON, "metadata", () -> registry.get(".well-known/oauth-authorization-server"))
                        .status())
                .isEqualTo(200);
    }

    /** Waits until the node no longer answers from its memory, and checks that this takes no longer than permitted. */
    private void awaitDistrust(Registered device) {
        within(
                AT_LAST,
                "no token without the database",
                () -> registry.token(device).status() == 503);
    }

    private void assertWorksAgain(String expected, Registered device, String token) {
        within(
                Duration.ofSeconds(30),
                "ready again",
                () -> registry.get("health/ready").status() == 200);
        within(
                Duration.ofSeconds(10),
                "registers again",
                () -> registry.register(expected).status() == 200);
        assertThat(registry.devicesOf(expected)).hasSize(1);
        assertThat(registry.token(device).status()).isEqualTo(200);
        assertThat(registry.isActive(token)).isTrue();
        assertThat(BrokerQuestions.notAllowed(registry, device)).isEmpty();
    }

    @Test
    void killedDatabaseIsSaidToBeAwayAndWorksWhenItIsBack() {
        String expected = registry.expectedSerial();
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        assertThat(BrokerQuestions.notAllowed(registry, device)).isEmpty();

        mariaDb.kill();
        try {
            awaitDistrust(device);
            assertSaysNoWithin(SOON, expected, device, token);
        } finally {
            mariaDb.restart();
        }

        assertWorksAgain(expected, device, token);
    }

    @Test
    void frozenDatabaseIsSaidToBeAwayAndWorksWhenItIsBack() {
        String expected = registry.expectedSerial();
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        assertThat(BrokerQuestions.notAllowed(registry, device)).isEmpty();

        mariaDb.freeze();
        try {
            awaitDistrust(device);
            assertSaysNoWithin(AT_LAST, expected, device, token);
        } finally {
            mariaDb.thaw();
        }

        assertWorksAgain(expected, device, token);
    }
}
