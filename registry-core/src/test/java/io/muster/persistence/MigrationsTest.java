// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A schema is brought up to date from any point at which an earlier start ended, even if it was killed. */
class MigrationsTest {

    private static final String MARIADB_TABLE = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin";

    private static MariaDbServer mariaDb;
    private static int databases;

    @BeforeAll
    static void starts() {
        mariaDb = MariaDbServer.start();
    }

    @AfterAll
    static void ends() {
        mariaDb.close();
    }

    /** A database of its own. */
    private record Place(String url, Optional<String> user, Optional<String> password) {

        static Place onMariaDb() {
            return new Place(
                    mariaDb.jdbcUrl("m" + ++databases), Optional.of(mariaDb.user()), Optional.of(mariaDb.password()));
        }

        static Place onH2() {
            return new Place(
                    Pool.completed("jdbc:h2:mem:m" + ++databases + System.nanoTime() + ";DB_CLOSE_DELAY=-1"),
                    Optional.empty(),
                    Optional.empty());
        }

        boolean isMariaDb() {
            return Pool.isMariaDb(url);
        }

        Connection connect() throws SQLException {
            return DriverManager.getConnection(url, user.orElse(null), password.orElse(null));
        }

        void execute(String... statements) {
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                for (String sql : statements) {
                    statement.execute(sql);
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        MusterConfig.Database config() {
            return new MusterConfig.Database(url, user, password, 2, Duration.ofSeconds(10), Duration.ZERO);
        }

        void start() {
            Database.open(config(), List.of(), Clock.systemUTC()).close();
        }

        /** Up to a version, as a start of that time did. */
        Place at(String version) {
            flyway(version).migrate();
            return this;
        }

        Flyway flyway(String version) {
            return Flyway.configure()
                    .dataSource(url, user.orElse(null), password.orElse(null))
                    .locations("classpath:db/migration")
                    .table("muster_schema")
                    .target(version)
                    .placeholders(java.util.Map.of("table", isMariaDb() ? MARIADB_TABLE : ""))
                    .load();
        }

        /** Every column and every index with a name of ours. */
        Set<String> schema() {
            Set<String> all = new TreeSet<>();
            try (Connection connection = connect()) {
                String catalog = connection.getCatalog();
                List<String> tables = new ArrayList<>();
                try (ResultSet rows =
                        connection.getMetaData().getTables(catalog, null, "%", new String[] {"TABLE", "BASE TABLE"})) {
                    while (rows.next()) {
                        if (!"INFORMATION_SCHEMA".equalsIgnoreCase(rows.getString("TABLE_SCHEM"))) {
                            tables.add(rows.getString("TABLE_NAME"));
                        }
                    }
                }
                for (String table : tables) {
                    try (ResultSet rows = connection.getMetaData().getColumns(catalog, null, table, "%")) {
                        while (rows.next()) {
                            all.add(table + " " + rows.getString("COLUMN_NAME") + " " + rows.getString("TYPE_NAME")
                                    + " " + rows.getString("COLUMN_SIZE") + " " + rows.getString("IS_NULLABLE"));
                        }
                    }
                    try (ResultSet rows = connection.getMetaData().getIndexInfo(catalog, null, table, false, true)) {
                        while (rows.next()) {
                            String name = String.valueOf(rows.getString("INDEX_NAME"));
                            // H2's own index for a constraint has a random name.
                            if (name.startsWith(table)
                                    && !name.toLowerCase(Locale.ROOT).contains("_index_")) {
                                all.add("index " + name + " " + rows.getString("COLUMN_NAME") + " "
                                        + rows.getBoolean("NON_UNIQUE"));
                            }
                        }
                    }
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            return all;
        }
    }

    private static List<String> statements(MigrationInfo migration, boolean mariaDb) {
        try (InputStream script = MigrationsTest.class.getResourceAsStream("/db/migration/" + migration.getScript())) {
            String text = new String(script.readAllBytes(), StandardCharsets.UTF_8)
                    .replaceAll("(?m)^\\s*--.*$", "")
                    .replace("${table}", mariaDb ? MARIADB_TABLE : "");
            return Arrays.stream(text.split(";\\s*(\\n|$)"))
                    .map(String::strip)
                    .filter(statement -> !statement.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<Boolean> databases() {
        return Stream.of(false, true);
    }

    private static Place place(boolean onMariaDb) {
        return onMariaDb ? Place.onMariaDb() : Place.onH2();
    }

    @Test
    void startGoesOnAfterWhicheverStatementTheOneBeforeWasKilled() {
        assertGoesOnAfterEachStatement(false);
    }

    @Tag("extended")
    @Test
    void startGoesOnAfterWhicheverStatementTheOneBeforeWasKilledOnMariaDb() {
        assertGoesOnAfterEachStatement(true);
    }

    private static void assertGoesOnAfterEachStatement(boolean onMariaDb) {
        Place whole = place(onMariaDb);
        whole.start();
        // On MariaDB the history begins with a row that has no script.
        List<MigrationInfo> migrations = Arrays.stream(
                        whole.flyway("latest").info().all())
                .filter(migration -> migration.getScript().endsWith(".sql"))
                .toList();
        for (int step = 0; step < migrations.size(); step++) {
            List<String> statements = statements(migrations.get(step), onMariaDb);
            assertThat(statements).isNotEmpty();
            // A kill before the first statement of a migration is a kill after the last one of the previous migration.
            for (int done = 1; done <= statements.size(); done++) {
                Place killed = place(onMariaDb);
                if (step > 0) {
                    killed.at(migrations.get(step - 1).getVersion().toString());
                }
                killed.execute(statements.subList(0, done).toArray(String[]::new));
                if (step == 0) {
                    // Flyway makes its table before the first migration.
                    killed.flyway("latest").baseline();
                    killed.execute(onMariaDb ? "DELETE FROM muster_schema" : "DELETE FROM \"muster_schema\"");
                }

                killed.start();

                assertThat(killed.schema())
                        .as(migrations.get(step).getScript() + " up to " + statements.get(done - 1))
                        .isEqualTo(whole.schema());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void stepThatTheDatabaseRefusedOnceIsDoneAgain(boolean onMariaDb) {
        Place whole = place(onMariaDb);
        whole.start();
        Place refused = place(onMariaDb).at("2");
        String history = onMariaDb ? "muster_schema" : "\"muster_schema\"";
        refused.execute("INSERT INTO " + history
                + (onMariaDb
                        ? " (installed_rank, version, description, type, script, installed_by, execution_time, success)"
                        : " (\"installed_rank\", \"version\", \"description\", \"type\", \"script\", \"installed_by\", \"execution_time\", \"success\")")
                + " VALUES (9, '3', 'credentials', 'SQL', 'V3__credentials.sql', 'muster', 1, FALSE)");

        refused.start();

        assertThat(refused.schema()).isEqualTo(whole.schema());
    }

    @Test
    void lotsAreCountedOnceHoweverOftenTheStepIsRepeated() throws SQLException {
        Place place = Place.onMariaDb().at("1");
        place.execute(
                "INSERT INTO expected_serial (fleet, serial, state, lot) SELECT 'default', CONCAT('SN-', seq), 'E', 'big'"
                        + " FROM seq_1_to_5000");
        List<String> statements = statements(place.flyway("2").info().all()[1], true);
        place.execute(statements.toArray(String[]::new));

        place.start();

        try (Connection connection = place.connect();
                Statement select = connection.createStatement();
                ResultSet row = select.executeQuery("SELECT imported, COUNT(*) OVER () FROM lot")) {
            row.next();
            assertThat(row.getLong(1)).isEqualTo(5000);
            assertThat(row.getLong(2)).isOne();
        }
    }

    @Test
    void nodesThatStartAtOnceMigrateOneAfterAnother() throws Exception {
        Place place = Place.onMariaDb();

        CompletableFuture.allOf(Stream.generate(() -> CompletableFuture.runAsync(place::start))
                        .limit(4)
                        .toArray(CompletableFuture[]::new))
                .get(120, TimeUnit.SECONDS);

        Place alone = Place.onMariaDb();
        alone.start();
        assertThat(place.schema()).isEqualTo(alone.schema());
    }

    @Test
    void userThatMayOnlyReadIsAFaultThatSaysSo() throws SQLException {
        Place place = Place.onMariaDb();
        place.start();
        String database = place.url().substring(place.url().lastIndexOf('/') + 1);
        place.execute(
                "CREATE USER reader@127.0.0.1 IDENTIFIED BY 'only'",
                "GRANT SELECT ON " + database + ".* TO reader@127.0.0.1");

        assertThatThrownBy(new Place(place.url(), Optional.of("reader"), Optional.of("only"))::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("/" + database)
                .hasMessageContaining("GRANT ALL PRIVILEGES");
    }

    @Test
    void serverThatIsReadOnlyIsAFaultThatSaysSo() {
        Place place = Place.onMariaDb();
        place.start();
        place.execute(
                "CREATE USER IF NOT EXISTS writer@127.0.0.1 IDENTIFIED BY 'w'",
                "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON *.* TO writer@127.0.0.1",
                "SET GLOBAL read_only = 1");
        try {
            assertThatThrownBy(new Place(place.url(), Optional.of("writer"), Optional.of("w"))::start)
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("read-only");
        } finally {
            place.execute("SET GLOBAL read_only = 0");
        }
    }

    @Test
    void eachReasonWhyThereIsNoConnectionIsSaid() {
        Place place = Place.onMariaDb();
        String address = place.url().substring(0, place.url().lastIndexOf('/'));

        assertFault(new Place(place.url(), place.user(), Optional.of("wrong")), "muster", "refuses", "password-file");
        assertFault(new Place(address + "/nowhere", place.user(), place.password()), "/nowhere", "CREATE DATABASE");
        assertFault(
                new Place("jdbc:mariadb://no.such.host.invalid/muster", place.user(), place.password()),
                "no.such.host.invalid/muster",
                "does not resolve");
        assertFault(
                new Place("jdbc:mariadb://127.0.0.1:1/muster?user=x&password=sesame", place.user(), place.password()),
                "127.0.0.1:1/muster",
                "nothing listens there");
    }

    private static void assertFault(Place place, String... parts) {
        assertThatThrownBy(place::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("wrong")
                .hasMessageNotContaining("sesame");
    }
}
