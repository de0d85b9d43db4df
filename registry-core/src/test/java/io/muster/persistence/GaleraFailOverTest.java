// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.Required;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.config.ConfigurationException;
import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The cost of a lost database node, for each way in which registry nodes may find their database: the longest time
 * without a registration, and the registrations that failed. {@code docs/galera.md} has the figures.
 */
@Tag("extended")
@Tag("timing")
class GaleraFailOverTest {

    private static final Duration GOAL = Duration.ofSeconds(2);

    /** Between the loss and the return: the others have noticed it by then. */
    private static final Duration LOST = Duration.ofSeconds(8);

    private static final AtomicInteger DATABASES = new AtomicInteger();

    private static GaleraCluster cluster;

    @BeforeAll
    static void start() {
        GaleraCluster.required();
        cluster = GaleraCluster.start();
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static TestRegistry registry(String database) {
        cluster.createDatabase(database);
        return TestRegistry.onGalera(cluster, database)
                .with(Clock.systemUTC())
                .with("all", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "all");
    }

    private static TestNode at(String url, String database) {
        return registry(database).at(url).start();
    }

    /** Registrations by four threads until it is closed. */
    private static final class Load implements AutoCloseable {

        private final TestNode node;
        private final AtomicBoolean over = new AtomicBoolean();
        private final AtomicInteger failed = new AtomicInteger();
        private final Queue<Long> times = new ConcurrentLinkedQueue<>();
        private final Queue<RegistrationReceipt> acknowledged = new ConcurrentLinkedQueue<>();
        private final ExecutorService threads = Executors.newFixedThreadPool(4);
        private final long began = System.nanoTime();

        Load(TestNode node, String name) {
            this.node = node;
            for (int thread = 0; thread < 4; thread++) {
                String prefix = name + "-" + thread + "-";
                threads.execute(() -> {
                    for (int i = 0; !over.get(); i++) {
                        register(prefix + i);
                    }
                });
            }
        }

        private void register(String serial) {
            try {
                RegistrationReceipt receipt = node.registrar().register(Candidates.withSerial(serial));
                times.add(System.nanoTime() - began);
                acknowledged.add(receipt);
            } catch (DatabaseUnavailableException e) {
                failed.incrementAndGet();
                // A device comes back later.
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }

        Duration longestSilence() {
            long last = 0;
            long longest = 0;
            for (long time : times.stream().sorted().toList()) {
                longest = Math.max(longest, time - last);
                last = time;
            }
            return Duration.ofNanos(longest);
        }

        @Override
        public void close() {
            end();
        }

        void end() {
            over.set(true);
            threads.shutdown();
            try {
                assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void pass(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }

    /** Loses the first database node under load at a registry node, and gets it back. */
    private static void lose(String how, TestNode node, Runnable lost, Runnable back) throws Exception {
        try (Load load = new Load(node, how.replace(' ', '-'))) {
            pass(Duration.ofSeconds(3));
            assertThat(load.acknowledged).isNotEmpty();
            lost.run();
            pass(LOST);
            int then = load.acknowledged.size();
            pass(Duration.ofSeconds(1));
            assertThat(load.acknowledged.size()).as("registrations go on").isGreaterThan(then);
            back.run();
            cluster.awaitSize(3);
            pass(Duration.ofSeconds(2));
            load.end();

            System.out.printf(
                    "FAIL-OVER %s: longest silence %d ms, %d failed, %d registered%n",
                    how, load.longestSilence().toMillis(), load.failed.get(), load.acknowledged.size());
            for (RegistrationReceipt receipt : load.acknowledged) {
                assertThat(node.authenticator().authenticate(receipt.key(), receipt.secret()))
                        .isPresent();
            }
            assertThat(load.longestSilence()).isLessThan(TimeLimit.of(GOAL));
        }
    }

    private static void killed(String how, TestNode node) throws Exception {
        lose(how + " killed", node, () -> cluster.node(0).kill(), () -> cluster.node(0)
                .restart());
    }

    private static String database() {
        return "over" + DATABASES.incrementAndGet();
    }

    @Test
    void registryNodeWithAnotherDatabaseNodeGoesOn() throws Exception {
        String database = database();
        try (TestNode node = at(cluster.node(1).addressOf(database), database)) {
            killed("one to one", node);
            lose("one to one frozen", node, () -> cluster.node(0).freeze(), () -> cluster.node(0)
                    .thaw());
        }
    }

    @Test
    void nextOfSeveralNodesInSequenceIsTaken() throws Exception {
        String database = database();
        try (TestNode node = at(cluster.jdbcUrl("sequential", database), database)) {
            killed("sequential", node);
        }
    }

    @Test
    void anyOfSeveralNodesIsTaken() throws Exception {
        String database = database();
        try (TestNode node = at(cluster.jdbcUrl("loadbalance", database), database)) {
            killed("loadbalance", node);
        }
    }

    @Test
    void proxyTakesTheNextNode() throws Exception {
        Path program = Path.of("/usr/sbin/haproxy");
        Required.there(Files.isExecutable(program), "there is no haproxy");
        String database = database();
        registry(database);
        int port = MariaDbServer.freePort();
        Path configuration = Files.createTempFile(Files.createDirectories(MariaDbServer.target()), "haproxy", ".cfg");
        List<String> lines = new ArrayList<>(List.of(
                "defaults",
                "  mode tcp",
                "  timeout connect 1s",
                "  timeout client 1h",
                "  timeout server 1h",
                "listen galera",
                "  bind 127.0.0.1:" + port,
                "  default-server check inter 300ms fall 2 rise 2 on-marked-down shutdown-sessions"));
        for (int i = 0; i < 3; i++) {
            lines.add("  server n" + i + " 127.0.0.1:" + cluster.node(i).port() + (i == 0 ? "" : " backup"));
        }
        Files.write(configuration, lines);
        Process proxy = new ProcessBuilder(program.toString(), "-f", configuration.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (TestNode node = at("jdbc:mariadb://127.0.0.1:" + port + "/" + database, database)) {
            killed("proxy", node);
        } finally {
            proxy.destroyForcibly();
            Files.delete(configuration);
        }
    }

    @Test
    void nodeWhoseDatabaseIsOutsideOfTheClusterIsNotReadyAndTheOthersAre() throws Exception {
        String database = database();
        TestRegistry registry = registry(database);
        try (TestNode first = registry.start();
                TestNode second = registry.start();
                TestNode third = registry.start()) {
            awaitReady(first, true);
            cluster.node(1).freeze();
            cluster.node(2).freeze();
            cluster.awaitReady(cluster.node(0), false);
            awaitReady(first, false);
            assertThatThrownBy(() -> first.registrar().register(Candidates.withSerial("OUTSIDE-1")))
                    .isInstanceOf(DatabaseUnavailableException.class);

            cluster.node(1).thaw();
            cluster.node(2).thaw();
            cluster.awaitSize(3);

            for (TestNode node : List.of(first, second, third)) {
                awaitReady(node, true);
            }
            assertThat(first.registrar()
                            .register(Candidates.withSerial("OUTSIDE-1"))
                            .deviceId())
                    .isNotBlank();
        }
    }

    private static void awaitReady(TestNode node, boolean ready) {
        long deadline = System.nanoTime() + TimeLimit.of(Duration.ofSeconds(30)).toNanos();
        while (node.isReady() != ready) {
            assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
            pass(Duration.ofMillis(20));
        }
    }

    @Test
    void addressForReplicasIsRefused() {
        String database = database();
        TestRegistry registry = registry(database).at(cluster.jdbcUrl("replication", database));

        assertThatThrownBy(registry::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("\"replication\"");
    }
}
