// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.config.ConfigurationException;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Starts of registry nodes on a cluster, each of which has a database node of its own. */
@Tag("extended")
class GaleraStartTest {

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

    private static TestRegistry on(String database) {
        return TestRegistry.onGalera(cluster, database)
                .with(Clock.systemUTC())
                .with("all", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "all");
    }

    /** Starts three registry nodes at the same moment, registers a device at each, and looks at the schema. */
    private static void assertStartTogether(TestRegistry registry) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        CyclicBarrier begin = new CyclicBarrier(3);
        List<Future<TestNode>> starting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            starting.add(threads.submit(() -> {
                begin.await();
                return registry.start();
            }));
        }
        List<TestNode> nodes = new ArrayList<>();
        try {
            for (Future<TestNode> one : starting) {
                nodes.add(one.get(120, TimeUnit.SECONDS));
            }
            for (int i = 0; i < 3; i++) {
                assertThat(nodes.get(i)
                                .registrar()
                                .register(Candidates.withSerial("START-" + i))
                                .deviceId())
                        .isNotBlank();
            }
            assertThat(registry.number("SELECT COUNT(*) FROM muster_schema WHERE success = 0"))
                    .isZero();
            assertThat(registry.number("SELECT COUNT(*) - COUNT(DISTINCT version) FROM muster_schema"))
                    .isZero();
            assertThat(registry.number("SELECT COUNT(*) FROM operator")).isEqualTo(1);
            assertThat(registry.number("SELECT COUNT(*) FROM signing_key")).isEqualTo(1);
        } finally {
            nodes.forEach(TestNode::close);
            threads.shutdownNow();
        }
    }

    @Test
    void threeNodesThatStartAtOnceOnAnEmptyClusterShareOneSchema() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertStartTogether(on("empty" + i));
        }
    }

    @Test
    void threeNodesThatStartAtOnceUpgradeOnce() throws Exception {
        TestRegistry registry = on("upgrade");
        Flyway.configure()
                .dataSource(
                        registry.setting("muster.database.url"),
                        registry.setting("muster.database.user"),
                        registry.setting("muster.database.password"))
                .locations("classpath:db/migration")
                .table("muster_schema")
                .target("9")
                .placeholders(Map.of("table", "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"))
                .load()
                .migrate();

        assertStartTogether(registry);
    }

    @Test
    void startTakesTheLockOfOneThatWasKilled() throws Exception {
        TestRegistry registry = on("killed");
        registry.start().close();
        registry.execute("UPDATE muster_schema_lock SET holder = 4711 WHERE id = 1");

        registry.start().close();

        assertThat(registry.number("SELECT holder FROM muster_schema_lock WHERE id = 1"))
                .isZero();
    }

    @Test
    void everyWrongSettingOfTheClusterIsNamedAtTheStart() throws Exception {
        TestRegistry registry = on("wrong");
        registry.start().close();
        registry.execute("CREATE TABLE keyless (a INT)");
        execute(1, "SET GLOBAL tx_isolation = 'SERIALIZABLE'");
        execute(1, "SET GLOBAL autocommit = 0");
        try {
            assertThatThrownBy(registry::start)
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("the table keyless of ")
                    .hasMessageContaining("tx_isolation = SERIALIZABLE")
                    .hasMessageContaining("autocommit = OFF");
        } finally {
            execute(1, "SET GLOBAL tx_isolation = 'REPEATABLE-READ'");
            execute(1, "SET GLOBAL autocommit = 1");
        }
    }

    private static void execute(int node, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        cluster.node(node).addressOf(""), cluster.user(), cluster.password());
                Statement statement = connection.createStatement()) {
            statement.execute("SET autocommit = 1");
            statement.execute(sql);
        }
    }
}
