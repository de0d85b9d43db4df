// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Line;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node that saw no changes for a minute, for any reason, trusts nothing in its memory from before. */
@Tag("extended")
@Aside
@Order(2)
class StaleNodeIT {

    private static final int DEVICES = 20;
    private static final Duration AWAY = Duration.ofSeconds(60);
    private static final Duration FROZEN = Duration.ofSeconds(40);

    /** The promise. */
    private static final Duration STALE = Duration.ofSeconds(2);

    private static MariaDbServer mariaDb;
    private static Line line;
    private static RegistryUnderTest here;
    private static RegistryUnderTest behindTheLine;
    private static RegistryUnderTest asleep;

    @BeforeAll
    static void start() {
        mariaDb = MariaDbServer.start();
        line = new Line(mariaDb.port());
        here = node("stale-here", mariaDb.jdbcUrl("stale"), null);
        Path masterKey = here.server().dataDir().resolve("master-key");
        behindTheLine = node(
                "stale-line",
                mariaDb.jdbcUrl("stale").replace(":" + mariaDb.port() + "/", ":" + line.port() + "/"),
                masterKey);
        asleep = node("stale-asleep", mariaDb.jdbcUrl("stale"), masterKey);
    }

    private static RegistryUnderTest node(String name, String url, Path masterKey) {
        Path directory = SharedWorld.directory(name);
        Map<String, String> properties = SharedWorld.database(directory, mariaDb, "stale");
        properties.put("muster.database.url", url);
        properties.put("muster.issuer", "http://stale.muster.test");
        if (masterKey != null) {
            properties.put("muster.master-key-file", masterKey.toString());
        }
        MusterServer server = MusterServer.start(SharedWorld.settings(directory, properties));
        return new RegistryUnderTest(server, here == null ? server.operatorToken() : here.operatorToken());
    }

    @AfterAll
    static void end() throws IOException {
        mariaDb.thaw();
        Processes.signal(asleep.server().pid(), "CONT");
        for (RegistryUnderTest node : List.of(asleep, behindTheLine, here)) {
            node.server().close();
        }
        line.close();
        mariaDb.close();
    }

    private static List<Registered> devicesThatAllNodesKnow() {
        List<Registered> devices = new ArrayList<>();
        for (int i = 0; i < DEVICES; i++) {
            Registered device = here.newDevice();
            for (RegistryUnderTest node : List.of(here, behindTheLine, asleep)) {
                assertThat(node.token(device).status()).isEqualTo(200);
            }
            devices.add(device);
        }
        return devices;
    }

    private static Reply end(Registered device, int number) {
        return number % 2 == 0
                ? here.change(device.deviceId(), "disable")
                : here.post(
                        "api/v1/devices/" + device.deviceId() + "/revoke",
                        RegistryUnderTest.JSON,
                        "{\"reason\":\"lost\"}",
                        here.asOperator());
    }

    private static void pass(Duration time) {
        long started = System.nanoTime();
        within(time.plusSeconds(5), time.toString(), () -> System.nanoTime() - started >= time.toNanos());
    }

    /** Two seconds after it can, and ever after. */
    private static void assertRefusesAll(RegistryUnderTest node, List<Registered> devices) {
        for (int round = 0; round < 2; round++) {
            pass(STALE);
            assertThat(devices)
                    .as(node.base().toString())
                    .allMatch(device -> node.token(device).status() == 401);
        }
    }

    @Test
    void nodeThatWasCutOffOrStoppedForAMinuteRefusesWhatEndedMeanwhile() {
        List<Registered> devices = devicesThatAllNodesKnow();
        line.cut();
        Processes.signal(asleep.server().pid(), "STOP");
        for (int i = 0; i < devices.size(); i++) {
            assertThat(end(devices.get(i), i).status()).isEqualTo(200);
        }
        pass(AWAY);
        assertThat(behindTheLine.get("health/ready").status()).isEqualTo(503);

        line.mend();
        Processes.signal(asleep.server().pid(), "CONT");

        within(
                Duration.ofSeconds(30),
                "ready again",
                () -> behindTheLine.get("health/ready").status() == 200);
        assertRefusesAll(asleep, devices);
        assertRefusesAll(behindTheLine, devices);
    }

    @Test
    void whatEndedInADatabaseThatWasFrozenIsRefusedByAllNodes() {
        List<Registered> devices = devicesThatAllNodesKnow();
        List<CompletableFuture<Reply>> ending = new ArrayList<>();
        for (int i = 0; i < devices.size(); i++) {
            int number = i;
            ending.add(CompletableFuture.supplyAsync(() -> end(devices.get(number), number)));
        }
        // Some are committed, some are under way, some find the database frozen.
        within(Duration.ofSeconds(10), "the first", () -> ending.stream().anyMatch(CompletableFuture::isDone));
        mariaDb.freeze();
        pass(FROZEN);
        mariaDb.thaw();
        ending.forEach(CompletableFuture::join);
        within(
                Duration.ofSeconds(30),
                "ready again",
                () -> here.get("health/ready").status() == 200);
        pass(STALE);

        List<Registered> ended =
                devices.stream().filter(device -> !isGood(device)).toList();
        assertThat(ended).isNotEmpty();
        assertRefusesAll(here, ended);
        assertRefusesAll(behindTheLine, ended);
        assertRefusesAll(asleep, ended);
    }

    /** By the database, which the list of an operator reads. */
    private static boolean isGood(Registered device) {
        Reply reply = here.get("api/v1/devices/" + device.deviceId(), here.asOperator());
        assertThat(reply.status()).isEqualTo(200);
        boolean active = reply.json().path("state").asText().equals("active");
        boolean unrevoked = false;
        for (var credential : reply.json().path("credentials")) {
            unrevoked |= !credential.path("state").asText().equals("revoked");
        }
        return active && unrevoked;
    }
}
