// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Timing;
import io.muster.suite.server.MusterServer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A stranger who measures the time cannot tell why a registration was refused. This holds on either database, with the
 * list of serials and with an API that is slower than the floor, alone and together with many.
 */
@Tag("timing")
@Tag("extended")
@Aside
@Order(1)
class RefusalTimeIT {

    private static final int TIMES = 240;
    private static final int MANY = 64;

    /** Not the one that tests share, which some of them kill. */
    private static MusterServer embedded;

    @BeforeAll
    static void start() {
        embedded = MusterServer.start(
                SharedWorld.settings(SharedWorld.directory("refusal-time"), SharedWorld.slow(new TreeMap<>())));
    }

    @AfterAll
    static void end() {
        if (embedded != null) {
            embedded.close();
        }
    }

    /** Refusals by reason, in a fleet with a list of serials. */
    private static Map<String, Runnable> listed(RegistryUnderTest registry) {
        String blocked = registry.expectedSerial();
        Reply reply = registry.post(
                "api/v1/fleets/default/serials/" + blocked + "/block",
                RegistryUnderTest.JSON,
                "{}",
                registry.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return kinds(
                registry,
                "default",
                RegistryUnderTest.unusedSerial(),
                blocked,
                registry.expectedSerial(),
                registry.expectedSerial());
    }

    /** Refusals by reason, in a fleet that asks an API which takes longer than the shortest refusal. */
    private static Map<String, Runnable> asked(RegistryUnderTest registry) {
        String fleet = "slow-" + RegistryUnderTest.unusedSerial().toLowerCase(Locale.ROOT);
        Reply reply = registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                "{\"verifiers\":[\"slow\"]}".getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                RegistryUnderTest.JSON);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(201);
        List<String> serials = RegistryUnderTest.unusedSerials(4);
        return kinds(
                registry,
                fleet,
                "UNKN-" + serials.get(0),
                "REFU-" + serials.get(1),
                "GOOD-" + serials.get(2),
                "GOOD-" + serials.get(3));
    }

    private static Map<String, Runnable> kinds(
            RegistryUnderTest registry, String fleet, String unknown, String blocked, String taken, String disabled) {
        registry.accessToken(registered(registry, fleet, taken));
        registry.change(registered(registry, fleet, disabled).deviceId(), "disable");
        Map<String, Runnable> kinds = new LinkedHashMap<>();
        Map.of("unknown", unknown, "blocked", blocked, "taken", taken, "disabled", disabled)
                .forEach((reason, serial) -> kinds.put(reason, () -> assertThat(
                                registry.registerIn(fleet, serial).status())
                        .as(reason)
                        .isIn(400, 401)));
        return kinds;
    }

    private static Registered registered(RegistryUnderTest registry, String fleet, String serial) {
        Reply reply = registry.registerIn(fleet, serial);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return RegistryUnderTest.receipt(serial, reply);
    }

    private static List<Map<String, Runnable>> everywhere() {
        return Stream.of(SharedWorld.onMariaDb(), new RegistryUnderTest(embedded, embedded.operatorToken()))
                .flatMap(registry -> Stream.of(listed(registry), asked(registry)))
                .toList();
    }

    @Test
    void timeTellsNothingToOneConnection() {
        // One connection each, at the same time, because they mostly wait.
        Timing.assertIndistinguishable(everywhere(), TIMES, 1);
    }

    @Test
    void timeTellsNothingToManyConnections() {
        everywhere().forEach(kinds -> Timing.assertIndistinguishable(List.of(kinds), TIMES, MANY));
    }
}
