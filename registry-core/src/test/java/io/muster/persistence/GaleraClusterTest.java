// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("extended")
class GaleraClusterTest {

    @Test
    void killedAndFrozenNodesComeBackWithEverything() throws Exception {
        GaleraCluster.required();
        try (GaleraCluster cluster = GaleraCluster.start()) {
            cluster.createDatabase("fleet");
            execute(cluster.node(0), "CREATE TABLE device (serial VARCHAR(128) PRIMARY KEY)");

            cluster.node(2).kill();
            cluster.awaitSize(2);
            execute(cluster.node(1), "INSERT INTO device VALUES ('SN-1')");
            cluster.node(2).restart();
            cluster.awaitSize(3);

            assertThat(count(cluster.node(2))).isEqualTo(1);

            cluster.node(0).freeze();
            cluster.awaitReady(cluster.node(1), true);
            execute(cluster.node(1), "INSERT INTO device VALUES ('SN-2')");
            cluster.node(0).thaw();
            cluster.awaitSize(3);

            assertThat(count(cluster.node(0))).isEqualTo(2);
        }
    }

    @Test
    void nodeWithoutMajorityRefusesUntilTheOthersAreBack() throws Exception {
        GaleraCluster.required();
        try (GaleraCluster cluster = GaleraCluster.start()) {
            cluster.createDatabase("fleet");
            execute(cluster.node(0), "CREATE TABLE device (serial VARCHAR(128) PRIMARY KEY)");

            cluster.node(1).freeze();
            cluster.node(2).freeze();
            cluster.awaitReady(cluster.node(0), false);

            assertThatThrownBy(() -> execute(cluster.node(0), "INSERT INTO device VALUES ('SN-1')"))
                    .isInstanceOf(SQLException.class);

            cluster.node(1).thaw();
            cluster.node(2).thaw();
            cluster.awaitSize(3);
            execute(cluster.node(0), "INSERT INTO device VALUES ('SN-1')");

            cluster.nodes().forEach(MariaDbServer::kill);
            cluster.bootstrap(cluster.node(0));
            cluster.node(1).restart();
            cluster.node(2).restart();
            cluster.awaitSize(3);

            assertThat(count(cluster.node(1))).isEqualTo(1);
        }
    }

    private static void execute(MariaDbServer node, String sql) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(node.addressOf("fleet"), node.user(), node.password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int count(MariaDbServer node) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(node.addressOf("fleet"), node.user(), node.password());
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT COUNT(*) FROM device")) {
            result.next();
            return result.getInt(1);
        }
    }
}
