// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfoService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the schema up to date. One node does it and the others wait, as long as it takes: its connections have no
 * limit of time. Each statement of a migration can be repeated. So if a start is killed meanwhile, the next one
 * completes the migration.
 */
final class Migrations {

    private static final Logger LOG = LoggerFactory.getLogger(Migrations.class);
    private static final String HISTORY = "muster_schema";
    private static final int SECONDS_BETWEEN_LINES = 10;

    // The statement of a migration that the server executes now, for any node. It never contains values of users.
    private static final String PROGRESS = "SELECT LEFT(info, 80), progress FROM information_schema.processlist"
            + " WHERE db = DATABASE() AND (info LIKE 'ALTER TABLE %' OR info LIKE 'CREATE INDEX %' OR info LIKE 'CREATE UNIQUE %'"
            + " OR info LIKE 'INSERT INTO % SELECT %' OR info LIKE 'UPDATE signing_key %') ORDER BY time DESC LIMIT 1";

    private static final Duration SILENCE = Duration.ofSeconds(15);

    private static final String FOREIGN_TABLES = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema ="
            + " DATABASE() AND table_name <> '" + SchemaLock.TABLE + "' AND NOT EXISTS (SELECT 1 FROM"
            + " information_schema.tables h WHERE h.table_schema = DATABASE() AND h.table_name = '" + HISTORY + "')";

    private static final int COMMAND_DENIED = 1142;
    private static final int NO_RIGHTS_ON_DATABASE = 1044;
    private static final int NO_SUPER = 1227;
    private static final int READ_ONLY = 1290;
    private static final int READ_ONLY_MODE = 1836;
    private static final int DISK_FULL = 1021;
    private static final int TABLE_FULL = 1114;

    private final MusterConfig.Database config;
    private final String url;
    private final FirstConnection connections;
    private final boolean mariaDb;
    private final String place;

    /**
     * Works on a database.
     *
     * @param url the whole address
     * @param connections makes connections whose statements may take as long as they need
     */
    Migrations(MusterConfig.Database config, String url, FirstConnection connections) {
        this.config = config;
        this.url = url;
        this.connections = connections;
        this.mariaDb = Pool.isMariaDb(url);
        this.place = FirstConnection.place(url);
    }

    /**
     * Brings the schema up to date, and makes sure that it can be written to.
     *
     * @return whether the database is a Galera cluster
     * @throws ConfigurationException if either is impossible, or the settings of a cluster are wrong; the message says
     *     how to correct it
     */
    boolean run() {
        ScheduledExecutorService lines = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "muster-migration-progress");
            thread.setDaemon(true);
            return thread;
        });
        try (Connection alone = connections.open(url)) {
            checkProduct(alone);
            var unused = lines.scheduleWithFixedDelay(
                    this::logProgress, SECONDS_BETWEEN_LINES, SECONDS_BETWEEN_LINES, TimeUnit.SECONDS);
            boolean galera = Cluster.isGalera(alone);
            migrateAlone(alone);
            lines.shutdownNow();
            List<String> faults = galera ? ClusterCheck.faults(alone, place) : List.of();
            if (!faults.isEmpty()) {
                throw new ConfigurationException(faults);
            }
            checkWritable(alone);
            return galera;
        } catch (SQLException e) {
            throw fault(e);
        } finally {
            lines.shutdownNow();
        }
    }

    private void checkProduct(Connection alone) throws SQLException {
        String product = alone.getMetaData().getDatabaseProductName();
        if (!product.equals("MariaDB") && !product.equals("H2")) {
            throw new ConfigurationException(List.of(
                    "muster.database: " + place + " is " + product + ", which is not supported; use MariaDB or H2"));
        }
    }

    private void migrate() throws SQLException {
        Flyway flyway = Flyway.configure(Migrations.class.getClassLoader())
                .dataSource(url, config.user().orElse(null), config.password().orElse(null))
                .locations("classpath:db/migration")
                .table(HISTORY)
                // The table of the lock is there before the history is. The first migration has version 1.
                .baselineOnMigrate(mariaDb)
                .baselineVersion("0")
                .validateMigrationNaming(true)
                // Scripts were made repeatable after some installations had run them. Their results are the same.
                .validateOnMigrate(false)
                .lockRetryCount(-1)
                // All other statements are the same for both databases.
                .placeholders(Map.of(
                        "table",
                        mariaDb ? "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin" : ""))
                .load();
        try {
            announce(flyway.info());
            flyway.migrate();
        } catch (FlywayException e) {
            SQLException sql = SqlFaults.in(e);
            if (sql != null) {
                throw sql;
            }
            throw notOwn(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
        if (flyway.info().current() == null) {
            // If a class loader hides the scripts, Flyway applies none and reports success.
            throw new ConfigurationException(List.of("the server's class loader hides the database migrations"));
        }
    }

    /** Says what an upgrade does before it does it: Flyway's own lines are not in every server's log. */
    private void announce(MigrationInfoService info) {
        if (info.current() != null && info.pending().length > 0) {
            LOG.info(
                    "Bringing the schema of {} up to date, from version {}: {}",
                    place,
                    info.current().getVersion(),
                    Stream.of(info.pending())
                            .map(step -> step.getVersion() + " " + step.getDescription())
                            .collect(Collectors.joining(", ")));
        }
    }

    /** Changes the schema under the lock. An embedded database has one process, and needs none. */
    private void migrateAlone(Connection alone) throws SQLException {
        if (!mariaDb) {
            forgetFailures(alone);
            migrate();
            return;
        }
        try (Connection ofLock = connections.open(url)) {
            SchemaLock lock = SchemaLock.take(ofLock, SILENCE, place);
            try {
                forgetFailures(alone);
                requireOwn(alone);
                migrate();
            } finally {
                lock.release();
            }
        }
    }

    /** Refuses a database that has tables and none of ours. Flyway cannot tell, because the lock is a table, too. */
    private void requireOwn(Connection alone) throws SQLException {
        try (Statement select = alone.createStatement();
                ResultSet row = select.executeQuery(FOREIGN_TABLES)) {
            row.next();
            if (row.getLong(1) > 0) {
                throw notOwn("Found tables and no history of a schema of Muster.");
            }
        }
    }

    private ConfigurationException notOwn(String why) {
        return new ConfigurationException(List.of("muster.database: the schema of " + place
                + " could not be brought up to date: " + why + " Give Muster a database of its own"));
    }

    /** Forgets failed migrations: a statement that failed once may succeed now, and can be repeated. */
    private void forgetFailures(Connection alone) throws SQLException {
        try (ResultSet history = alone.getMetaData().getTables(alone.getCatalog(), null, HISTORY, null)) {
            if (!history.next()) {
                return;
            }
        }
        try (Statement delete = alone.createStatement()) {
            delete.executeUpdate(
                    mariaDb
                            ? "DELETE FROM " + HISTORY + " WHERE success = FALSE"
                            : "DELETE FROM \"" + HISTORY + "\" WHERE \"success\" = FALSE");
        }
    }

    private void logProgress() {
        if (!mariaDb) {
            LOG.info("Still bringing the schema of {} up to date; let it run", place);
            return;
        }
        try (Connection connection = connections.open(url);
                Statement select = connection.createStatement();
                ResultSet row = select.executeQuery(PROGRESS)) {
            if (row.next()) {
                LOG.info(
                        "Still bringing the schema of {} up to date; let it run. At {} ({} %)",
                        place, row.getString(1).lines().findFirst().orElse(""), (int) row.getDouble(2));
            }
        } catch (SQLException | RuntimeException e) {
            LOG.debug("The progress of a migration cannot be seen", e);
        }
    }

    /** Writes a test row, so that a read-only account is a fault of the start, and not of the first registration. */
    private static void checkWritable(Connection alone) throws SQLException {
        alone.setAutoCommit(false);
        try (Statement write = alone.createStatement()) {
            write.executeUpdate("INSERT INTO change_log (id, subject) VALUES (-1, '')");
            write.executeUpdate("UPDATE change_log SET subject = 'x' WHERE id = -1");
            write.executeUpdate("DELETE FROM change_log WHERE id = -1");
        } finally {
            alone.rollback();
            alone.setAutoCommit(true);
        }
    }

    private ConfigurationException fault(SQLException e) {
        String cause =
                switch (e.getErrorCode()) {
                    case COMMAND_DENIED, NO_RIGHTS_ON_DATABASE, NO_SUPER ->
                        "the user may not do what Muster has to; grant it"
                                + " every right on this database (GRANT ALL PRIVILEGES)";
                    case READ_ONLY, READ_ONLY_MODE -> "the server is read-only; Muster needs the primary";
                    case DISK_FULL, TABLE_FULL -> "the disk of the database is full";
                    default -> "SQL state " + e.getSQLState() + ", code " + e.getErrorCode() + "; see the server's log";
                };
        return new ConfigurationException(List.of("muster.database: the schema of " + place
                + " could not be brought up to date: " + cause
                + ". Nothing is lost: mend it and start again, which goes on where this start ended"));
    }
}
