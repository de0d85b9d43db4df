// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {

    private static MusterConfig.Database config(String url) {
        return new MusterConfig.Database(
                url, Optional.empty(), Optional.empty(), 4, Duration.ofSeconds(10), Duration.ZERO);
    }

    private static Database open() {
        return Database.open(
                config("jdbc:h2:mem:db" + System.nanoTime() + ";DB_CLOSE_DELAY=-1"), List.of(), Clock.systemUTC());
    }

    private static int notes(Database database) {
        return database.jdbc(connection -> {
            try (PreparedStatement select = connection.prepareStatement("SELECT COUNT(*) FROM change_log");
                    ResultSet row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        });
    }

    private static int note(jakarta.persistence.EntityManager em) {
        return em.createNativeQuery("INSERT INTO change_log (subject) VALUES ('x')")
                .executeUpdate();
    }

    @Test
    void twoDatabasesOfOneProcessAreTwo() {
        try (Database one = open();
                Database two = open()) {
            two.transaction(DatabaseTest::note);

            assertThat(notes(one)).isZero();
            assertThat(notes(two)).isOne();
        }
    }

    @Test
    void connectionThatThePoolTookAwayIsAnUnavailableDatabase() {
        try (Database database = open()) {
            assertThatThrownBy(() -> database.jdbc(connection -> {
                        connection.close();
                        return connection.prepareStatement("SELECT 1");
                    }))
                    .isInstanceOf(DatabaseUnavailableException.class);
        }
    }

    /** As after a full disk: H2 closes the database, and its connections still say that they are good. */
    @Test
    void embeddedDatabaseThatClosedItselfIsOpenedAgain(@TempDir Path directory) throws SQLException {
        String url = "jdbc:h2:file:" + directory.resolve("muster");
        try (Database database = Database.open(config(url), List.of(), Clock.systemUTC())) {
            database.fill();
            database.transaction(DatabaseTest::note);
            try (Connection other = DriverManager.getConnection(Pool.completed(url));
                    Statement statement = other.createStatement()) {
                statement.execute("SHUTDOWN IMMEDIATELY");
            }

            int refused = 0;
            Optional<Integer> notes = Optional.empty();
            while (notes.isEmpty() && refused <= 4) {
                try {
                    notes = Optional.of(notes(database));
                } catch (DatabaseUnavailableException e) {
                    refused++;
                }
            }

            assertThat(notes).contains(1);
        }
    }

    @Test
    void filesOfAnEmbeddedDatabaseAreForTheirOwnerOnlyAlsoWhereTheyWereForAllBefore(@TempDir Path directory)
            throws IOException {
        Path file = directory.resolve("muster.mv.db");
        for (String url :
                List.of("jdbc:h2:file:" + directory.resolve("muster"), "jdbc:h2:" + directory.resolve("muster"))) {
            Database.open(config(url), List.of(), Clock.systemUTC()).close();
            assertThat(permissions(file)).isEqualTo("rw-------");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
            try (Database database = Database.open(config(url), List.of(), Clock.systemUTC())) {
                database.transaction(DatabaseTest::note);
                assertThat(permissions(file)).isEqualTo("rw-------");
            }
            assertThat(permissions(file)).isEqualTo("rw-------");
            try (Stream<Path> files = Files.list(directory)) {
                assertThat(files).containsExactly(file);
            }
            Files.delete(file);
        }
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void transactionThatThrowsLeavesNothing() {
        try (Database database = open()) {
            assertThatThrownBy(() -> database.transaction(em -> {
                        note(em);
                        throw new IllegalArgumentException("no");
                    }))
                    .isInstanceOf(IllegalArgumentException.class);

            assertThat(notes(database)).isZero();
        }
    }

    @Test
    void victimOfADeadlockIsRunAgainFromTheBeginning() {
        try (Database database = open()) {
            AtomicInteger attempts = new AtomicInteger();

            database.transaction(em -> {
                note(em);
                if (attempts.incrementAndGet() < 3) {
                    throw new IllegalStateException(new SQLException("deadlock", "40001", 1213));
                }
                return null;
            });

            assertThat(attempts).hasValue(3);
            assertThat(notes(database)).isOne();
        }
    }

    @Test
    void endlessDeadlockIsUnavailableAndDoesNotRepeatTheStatement() {
        try (Database database = open()) {
            assertThatThrownBy(() -> database.transaction(em -> {
                        throw new IllegalStateException(new SQLException("INSERT 'geheim'", "40001", 1213));
                    }))
                    .isInstanceOf(DatabaseUnavailableException.class)
                    .hasMessageNotContaining("geheim");
        }
    }

    @Test
    void databaseThatIsNotThereIsAReadableFault() {
        assertThatThrownBy(
                        () -> Database.open(config("jdbc:mariadb://127.0.0.1:1/muster"), List.of(), Clock.systemUTC()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("muster.database")
                .hasMessageContaining("no connection");
    }
}
