package io.muster.persistence;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.EntityTransaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.eclipse.persistence.config.PersistenceUnitProperties;
import org.eclipse.persistence.jpa.PersistenceProvider;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry's database: a pool, the schema, and transactions. Thread-safe; closed once, at the end.
 *
 * <p>A transaction is a function. It commits when the function returns and rolls back when it throws; it is run again, from
 * the beginning, if the database chose it as the victim of a deadlock. So the function must be short, must not call out, and
 * must do nothing outside the database.
 */
public final class Database implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final int ATTEMPTS = 5;
    private static final Pattern EMBEDDED_FILE = Pattern.compile("jdbc:h2:(?:file:|(?=[./~]|[A-Za-z]:))([^;]*).*");

    /** What a transaction does. */
    @FunctionalInterface
    public interface Work<T> {
        /** Works with the entity manager of this transaction, which is closed afterwards. */
        T in(EntityManager em);
    }

    /** What is done with a plain connection. */
    @FunctionalInterface
    public interface SqlWork<T> {
        /** Works with the connection, which belongs to the pool. */
        T in(Connection connection) throws SQLException;
    }

    private final HikariDataSource pool;
    private final EntityManagerFactory entities;

    private Database(HikariDataSource pool, EntityManagerFactory entities) {
        this.pool = pool;
        this.entities = entities;
    }

    /**
     * Opens the database, waits for it if it is not there yet, and brings its schema up to date.
     *
     * @param config where it is
     * @param managed every entity and converter
     * @param clock measures the wait
     * @throws ConfigurationException if it cannot be reached within the configured time, or its schema is not ours
     */
    public static Database open(MusterConfig.Database config, List<Class<?>> managed, Clock clock) {
        embeddedFile(config.url()).ifPresent(Database::keepToOwner);
        HikariDataSource pool = new HikariDataSource(pool(config));
        try {
            boolean mariaDb = awaitConnection(pool, config.startTimeout(), clock);
            migrate(pool, mariaDb);
            return new Database(pool, entities(pool, managed));
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    /** Returns the file of an embedded database that is one; empty for a server's, and for one in memory. */
    private static Optional<Path> embeddedFile(String url) {
        Matcher embedded = EMBEDDED_FILE.matcher(url);
        return embedded.matches()
                ? Optional.of(
                        Path.of(embedded.group(1).replaceFirst("^~(?=/)", System.getProperty("user.home")) + ".mv.db"))
                : Optional.empty();
    }

    /** Before H2 has it, which would make it as readable as everything else that this user makes. */
    private static void keepToOwner(Path file) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            OwnerOnlyFile.keep(file);
        } catch (IOException e) {
            throw new ConfigurationException(List.of("muster.database: cannot make " + file
                    + " readable by its owner only (" + e.getClass().getSimpleName() + ")"));
        }
    }

    private static EntityManagerFactory entities(DataSource dataSource, List<Class<?>> managed) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(PersistenceUnitProperties.TARGET_SERVER, "None");
        // No target database: named here, its class would come from the WAR, and on Liberty the rest from the server.
        // EclipseLink
        // finds the right one by asking the database.
        properties.put(PersistenceUnitProperties.WEAVING, "false");
        // EclipseLink keeps sessions by name for the whole process: a second registry in it would get the first one's
        // database.
        properties.put(
                PersistenceUnitProperties.SESSION_NAME,
                "muster-" + System.identityHashCode(dataSource) + "-" + System.nanoTime());
        // Several nodes share the database, so what one of them remembers of a row may be wrong.
        properties.put(PersistenceUnitProperties.CACHE_SHARED_DEFAULT, "false");
        // EclipseLink would log statements with what is bound to them, serials and hashes among it.
        properties.put(PersistenceUnitProperties.LOGGING_LEVEL, "OFF");
        properties.put(PersistenceUnitProperties.LOGGING_PARAMETERS, "false");
        properties.put(PersistenceUnitProperties.EXCLUDE_ECLIPSELINK_ORM_FILE, "true");
        properties.put(PersistenceUnitProperties.THROW_EXCEPTIONS, "true");
        return new PersistenceProvider()
                .createContainerEntityManagerFactory(new PersistenceUnit(dataSource, managed), properties);
    }

    private static HikariConfig pool(MusterConfig.Database config) {
        HikariConfig pool = new HikariConfig();
        pool.setPoolName("muster");
        boolean mariaDb = config.url().startsWith("jdbc:mariadb:");
        if (mariaDb) {
            pool.setDriverClassName("org.mariadb.jdbc.Driver");
            pool.setJdbcUrl(config.url());
            // Prepared once per connection: the statements of the hot path are few and always the same.
            pool.addDataSourceProperty("useServerPrepStmts", "true");
            pool.addDataSourceProperty("cachePrepStmts", "true");
            // A database that stopped answering must not hold request threads for ever.
            pool.addDataSourceProperty("socketTimeout", "10000");
            pool.addDataSourceProperty(
                    "connectTimeout", Long.toString(config.connectTimeout().toMillis()));
        } else {
            pool.setDriverClassName("org.h2.Driver");
            pool.setJdbcUrl(embeddedUrl(config.url()));
        }
        config.user().ifPresent(pool::setUsername);
        config.password().ifPresent(pool::setPassword);
        pool.setMaximumPoolSize(config.poolSize());
        pool.setMinimumIdle(Math.min(2, config.poolSize()));
        pool.setConnectionTimeout(config.connectTimeout().toMillis());
        pool.setValidationTimeout(Math.max(250, config.connectTimeout().toMillis() / 2));
        pool.setInitializationFailTimeout(-1);
        pool.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        return pool;
    }

    private static String embeddedUrl(String url) {
        StringBuilder complete = new StringBuilder(url);
        for (String option : List.of(
                "MODE=MariaDB",
                "DATABASE_TO_LOWER=TRUE",
                "CASE_INSENSITIVE_IDENTIFIERS=TRUE",
                "DB_CLOSE_ON_EXIT=FALSE",
                // An acknowledged registration is in the file before the reply leaves.
                "WRITE_DELAY=0",
                // No file beside it that others may read; what fails is in the log of the registry.
                "TRACE_LEVEL_FILE=0",
                "LOCK_TIMEOUT=5000")) {
            String name = option.substring(0, option.indexOf('=') + 1);
            if (!url.toUpperCase(Locale.ROOT).contains(";" + name)) {
                complete.append(';').append(option);
            }
        }
        return complete.toString();
    }

    private static boolean awaitConnection(DataSource dataSource, Duration patience, Clock clock) {
        Instant end = clock.instant().plus(patience);
        while (true) {
            try (Connection connection = dataSource.getConnection()) {
                String product = connection.getMetaData().getDatabaseProductName();
                if (product.equals("MariaDB") || product.equals("H2")) {
                    return product.equals("MariaDB");
                }
                throw new ConfigurationException(
                        List.of("muster.database: " + product + " is not supported; use MariaDB or H2"));
            } catch (SQLException e) {
                if (!clock.instant().isBefore(end)) {
                    throw new ConfigurationException(List.of("muster.database: no connection within " + patience
                            + " (SQL state " + state(e) + "): check address, user, password and that it runs"));
                }
                LOG.info("The database is not there yet (SQL state {}); trying again", state(e));
                LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
            }
        }
    }

    private static String state(SQLException e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof SQLException sql && sql.getSQLState() != null) {
                return sql.getSQLState();
            }
        }
        return "none";
    }

    private static void migrate(DataSource dataSource, boolean mariaDb) {
        try {
            Flyway flyway = Flyway.configure(Database.class.getClassLoader())
                    .dataSource(dataSource)
                    .locations("classpath:db/migration")
                    .table("muster_schema")
                    .baselineOnMigrate(false)
                    .validateMigrationNaming(true)
                    // Everything else about the two databases is the same statement.
                    .placeholders(Map.of(
                            "table",
                            mariaDb ? "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin" : ""))
                    .load();
            flyway.migrate();
            if (flyway.info().current() == null) {
                // A class loader that hides the scripts makes Flyway apply none and report success.
                throw new ConfigurationException(List.of("the server's class loader hides the database migrations"));
            }
        } catch (FlywayException e) {
            throw new ConfigurationException(List.of("muster.database: the schema could not be brought up to date: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse("")));
        }
    }

    /**
     * Runs a transaction.
     *
     * @return what the function returned
     * @throws DatabaseUnavailableException if the database is away or too busy; the transaction may or may not have been
     *     committed if the connection broke during the commit
     * @throws DuplicateException if a unique constraint was violated
     */
    public <T> T transaction(Work<T> work) {
        for (int attempt = 1; ; attempt++) {
            try {
                return attempt(work);
            } catch (RuntimeException e) {
                SQLException sql = sqlCause(e);
                if (sql == null) {
                    throw e;
                }
                if (!isRetryable(sql) || attempt == ATTEMPTS) {
                    throw translated(sql);
                }
            }
        }
    }

    private <T> T attempt(Work<T> work) {
        EntityManager em = entities.createEntityManager();
        try {
            EntityTransaction transaction = em.getTransaction();
            transaction.begin();
            boolean done = false;
            try {
                T result = work.in(em);
                transaction.commit();
                done = true;
                return result;
            } finally {
                if (!done && transaction.isActive()) {
                    rollback(transaction);
                }
            }
        } finally {
            em.close();
        }
    }

    private static void rollback(EntityTransaction transaction) {
        try {
            transaction.rollback();
        } catch (RuntimeException e) {
            // The connection is gone, and with it the transaction; the first fault is the one to report.
            LOG.debug("Rollback failed", e);
        }
    }

    /** Reads without a transaction: each query sees what is committed at its time. */
    public <T> T read(Work<T> work) {
        try {
            EntityManager em = entities.createEntityManager();
            try {
                return work.in(em);
            } finally {
                em.close();
            }
        } catch (RuntimeException e) {
            SQLException sql = sqlCause(e);
            if (sql == null) {
                throw e;
            }
            throw translated(sql);
        }
    }

    /** Works with a plain connection in one transaction, for what entities are the wrong tool for: bulk, and single look-ups. */
    public <T> T sql(SqlWork<T> work) {
        for (int attempt = 1; ; attempt++) {
            try (Connection connection = connection()) {
                return inTransaction(connection, work);
            } catch (SQLException e) {
                if (!isRetryable(e) || attempt == ATTEMPTS) {
                    throw translated(e);
                }
            }
        }
    }

    private Connection connection() {
        try {
            return pool.getConnection();
        } catch (SQLException e) {
            throw new DatabaseUnavailableException(
                    "no connection, " + e.getClass().getSimpleName());
        }
    }

    private static <T> T inTransaction(Connection connection, SqlWork<T> work) throws SQLException {
        connection.setAutoCommit(false);
        boolean done = false;
        try {
            T result = work.in(connection);
            connection.commit();
            done = true;
            return result;
        } finally {
            try {
                if (!done) {
                    connection.rollback();
                }
                connection.setAutoCommit(true);
            } catch (SQLException e) {
                // The connection is gone; the pool notices.
                LOG.debug("Rollback failed", e);
            }
        }
    }

    /** Runs one query on a plain connection, committed by itself. */
    public <T> T query(SqlWork<T> work) {
        try (Connection connection = connection()) {
            return work.in(connection);
        } catch (SQLException e) {
            throw translated(e);
        }
    }

    /** Tells whether the database answers now. */
    public boolean isAvailable() {
        try (Connection connection = pool.getConnection()) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false;
        }
    }

    /** Returns the text of a column of a native query, which some databases give as an object to read it from. */
    public static String text(Object column) {
        if (column instanceof Clob clob) {
            try {
                return clob.getSubString(1, (int) clob.length());
            } catch (SQLException e) {
                throw new IllegalStateException("a text cannot be read", e);
            }
        }
        return String.valueOf(column);
    }

    /** Tells whether what was thrown within a transaction is the violation of a unique constraint. */
    public static boolean isDuplicate(RuntimeException thrown) {
        SQLException sql = sqlCause(thrown);
        return sql != null && isDuplicate(sql);
    }

    private static boolean isDuplicate(SQLException e) {
        return e instanceof SQLIntegrityConstraintViolationException
                || String.valueOf(e.getSQLState()).startsWith("23");
    }

    private static boolean isRetryable(SQLException e) {
        // 1213 and 40001: deadlock, or a Galera certification failure; 1205: lock wait; 1020: row changed (MariaDB
        // snapshot).
        return "40001".equals(e.getSQLState())
                || e.getErrorCode() == 1213
                || e.getErrorCode() == 1205
                || e.getErrorCode() == 1020
                || e.getErrorCode() == 50200;
    }

    private static RuntimeException translated(SQLException e) {
        if (isDuplicate(e)) {
            return new DuplicateException();
        }
        // The driver's own message may hold the statement with its values; type, state and code say enough.
        String what = e.getClass().getSimpleName() + ", SQL state " + e.getSQLState() + ", code " + e.getErrorCode();
        if (e instanceof SQLTransientConnectionException
                || String.valueOf(e.getSQLState()).startsWith("08")
                || isRetryable(e)
                || isAway(e)) {
            return new DatabaseUnavailableException(what);
        }
        return new IllegalStateException("The database refused a statement: " + what);
    }

    private static boolean isAway(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        // 90098/90121: H2 is closed; 70100: query killed; HY000 with 1927 and kin: connection killed; 28000 on a
        // restart.
        return e.getErrorCode() == 90098
                || e.getErrorCode() == 90121
                || e.getErrorCode() == 90067
                || state.equals("70100")
                || state.equals("HYT00")
                || e.getErrorCode() == 1927
                || e.getErrorCode() == 1053
                || e instanceof SQLNonTransientConnectionException
                || e instanceof SQLTimeoutException
                || e instanceof SQLRecoverableException;
    }

    private static SQLException sqlCause(Throwable thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            if (t instanceof SQLException sql) {
                return sql;
            }
            if (t.getCause() == t) {
                return null;
            }
        }
        return null;
    }

    @Override
    public void close() {
        entities.close();
        pool.close();
    }
}
