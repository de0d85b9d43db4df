// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices that cannot be served are told to retry one after another, not all at the same time. */
@Aside
@Tag("extended")
class RetrySlotsIT {

    private static final int DEVICES = 8;

    @Test
    void manyThatAreTurnedAwayAreToldLaterAndLaterTurnsWhileOthersAreServed() throws Exception {
        int nobody = SharedWorld.unusedPort();
        try (MusterServer server = MusterServer.start(SharedWorld.settings(
                SharedWorld.directory("turns"),
                Map.of(
                        "muster.fleets", "dead",
                        "muster.fleet.dead.verifiers", "dead",
                        "muster.verifier.dead.type", "http",
                        "muster.verifier.dead.url", "http://127.0.0.1:" + nobody + "/units/{serial}",
                        "muster.verifier.dead.allow-http", "true",
                        "muster.verifier.dead.allow-private", "true",
                        "muster.verifier.dead.status-only", "true")))) {
            RegistryUnderTest registry = new RegistryUnderTest(server, server.operatorToken());
            Registered served = registry.newDevice();
            assertThat(retryAfter(registry)).isEqualTo(5);

            AtomicInteger longest = new AtomicInteger();
            AtomicBoolean enough = new AtomicBoolean();
            ExecutorService devices = Executors.newFixedThreadPool(DEVICES);
            try {
                List<Future<?>> turnedAway = IntStream.range(0, DEVICES)
                        .<Future<?>>mapToObj(i -> devices.submit(() -> {
                            while (!enough.get()) {
                                int seconds = retryAfter(registry);
                                assertThat(seconds).isBetween(5, 600);
                                longest.accumulateAndGet(seconds, Math::max);
                            }
                        }))
                        .toList();
                try {
                    within(Duration.ofSeconds(60), "turns that lie apart", () -> {
                        assertThat(registry.token(served).status()).isEqualTo(200);
                        return longest.get() >= 15;
                    });
                } finally {
                    enough.set(true);
                }
                for (Future<?> each : turnedAway) {
                    each.get();
                }
            } finally {
                devices.shutdownNow();
            }
        }
    }

    private static int retryAfter(RegistryUnderTest registry) {
        Reply reply = registry.registerIn("dead", RegistryUnderTest.unusedSerial());
        assertUnavailable(reply, "verification-unavailable");
        return Integer.parseInt(reply.header("Retry-After").orElseThrow());
    }
}
