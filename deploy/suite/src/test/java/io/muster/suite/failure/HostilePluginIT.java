// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.plugin.HostilePlugin;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * A plug-in that does its worst harms only its own fleet. If it takes the whole process with it, the process logs that
 * and ends.
 */
@Tag("timing")
@Aside
@Tag("extended")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class HostilePluginIT {

    private static final int REQUESTS = 80;

    private static MusterServer server;
    private static RegistryUnderTest registry;

    @BeforeAll
    static void start() throws IOException {
        Path directory = SharedWorld.directory("hostile");
        Path plugins = Files.createDirectory(directory.resolve("plugins"));
        HostilePlugin.jar().write(plugins.resolve("hostile.jar"));
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.plugins-dir", plugins.toString());
        properties.put("muster.fleets", "hostile, healthy");
        properties.put("muster.fleet.hostile.verifiers", "hostile");
        properties.put("muster.fleet.healthy.verifiers", "database");
        properties.put("muster.verifier.hostile.time-limit", "PT1S");
        server = MusterServer.start(SharedWorld.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    private static Duration timed(Runnable request) {
        long started = System.nanoTime();
        request.run();
        return Duration.ofNanos(System.nanoTime() - started);
    }

    private static String log() throws IOException {
        return Files.readString(server.log(), StandardCharsets.ISO_8859_1);
    }

    @Test
    @Order(1)
    void everybodyElseIsServedWhileEveryAnswerHangs() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(REQUESTS);
        try {
            for (String serial : List.of("NUMBER-HANGS", "MESSAGE-HANGS")) {
                List<Future<Duration>> asked = new ArrayList<>();
                List<Integer> statuses = new CopyOnWriteArrayList<>();
                for (int i = 0; i < REQUESTS; i++) {
                    asked.add(clients.submit(() -> timed(() ->
                            statuses.add(registry.registerIn("hostile", serial).status()))));
                }
                Duration live = timed(
                        () -> assertThat(registry.get("health/live").status()).isEqualTo(200));
                Duration other = timed(() -> assertThat(
                                registry.registerIn("healthy", "SN-0001").status())
                        .isEqualTo(400));
                for (Future<Duration> each : asked) {
                    assertThat(each.get(60, TimeUnit.SECONDS)).isLessThan(TimeLimit.of(Duration.ofSeconds(30)));
                }

                assertThat(statuses).hasSize(REQUESTS).containsOnly(503);
                assertThat(live).isLessThan(TimeLimit.of(Duration.ofSeconds(10)));
                assertThat(other).isLessThan(TimeLimit.of(Duration.ofSeconds(20)));
            }
        } finally {
            clients.shutdownNow();
        }
    }

    @Test
    @Order(2)
    void memoryThatRanOutEndsTheProcessWhichSaysSo() throws Exception {
        server.restart();
        ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
        ask("FILLS-THE-HEAP");

        process.onExit().get(60, TimeUnit.SECONDS);

        assertThat(log()).contains("Muster ends: its memory has run out.");
    }

    @Test
    @Order(3)
    void pluginThatEndsTheProcessIsNamed() throws Exception {
        server.restart();
        ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
        ask("LEAVES-THREADS");
        ask("EXITS");

        process.onExit().get(60, TimeUnit.SECONDS);

        assertThat(log())
                .contains("Plug-in hostile.jar ends this process: System.exit at acme.Acme.answer")
                .contains("Plug-in hostile.jar left");
    }

    /** Asks, and ignores the result. */
    private static void ask(String serial) {
        try {
            registry.post("fleets/hostile/register", JSON, body(serial));
        } catch (UncheckedIOException e) {
            // The process was gone before it answered.
            return;
        }
    }
}
