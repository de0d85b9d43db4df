// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.EntityTransaction;
import java.io.IOException;
import java.io.Serial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.eclipse.persistence.config.PersistenceUnitProperties;
import org.eclipse.persistence.jpa.PersistenceProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry's database: a pool, the schema, and transactions. Thread-safe; closed once, at the end.
 *
 * <p>A transaction is a function. It commits when the function returns and rolls back when it throws. If the database
 * chose it as the victim of a deadlock, it runs again from the beginning. So the function must be short, must not call
 * other systems, and must do nothing outside the database.
 */
public final class Database implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final SecureRandom PAUSES = new SecureRandom();
    private static final int MOST_DOUBLINGS = 10;
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(8);
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(2);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(200);

    /** The function of a transaction. */
    @FunctionalInterface
    public interface Work<T> {
        /** Works with the entity manager of this transaction, which is closed afterwards. */
        T in(EntityManager em);
    }

    /** A callback for the end of a transaction. */
    @FunctionalInterface
    interface Ending {
        /**
         * Called on the transaction's thread. Known if it was committed or rolled back; not known if it may still be
         * either.
         */
        void ended(boolean known);
    }

    /** Work with a plain connection; {@link Sql} has most of it. */
    @FunctionalInterface
    public interface SqlWork<T> {
        /** Works with the connection, which belongs to the pool. */
        T in(Connection connection) throws SQLException;
    }

    private final HikariDataSource pool;
    private final HikariDataSource apart;
    private final Cluster cluster;
    private final DataSource current;
    private final EntityManagerFactory entities;
    private final Optional<Connection> keepsOpen;
    private final OperatorQueries operatorQueries;
    /** One for each database: a test has several in one JVM, and its threads end with it. */
    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<List<Ending>> endings = new ThreadLocal<>();

    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<Joint> joint = new ThreadLocal<>();

    /** A transaction that others take part in, and what happens after its commit. */
    private record Joint(EntityManager em, List<Runnable> afterwards) {}

    private Database(
            HikariDataSource pool,
            HikariDataSource apart,
            Cluster cluster,
            EntityManagerFactory entities,
            Optional<Connection> keepsOpen) {
        this.pool = pool;
        this.apart = apart;
        this.cluster = cluster;
        this.current = cluster.current(pool);
        this.entities = entities;
        this.keepsOpen = keepsOpen;
        this.operatorQueries =
                new OperatorQueries(this, OperatorQueries.share(pool.getMaximumPoolSize()), OperatorQueries.LONGEST);
    }

    /**
     * Opens the database, waits until it is reachable, and brings its schema up to date.
     *
     * @param config where it is
     * @param managed every entity and converter
     * @param clock measures the wait
     * @throws ConfigurationException if it cannot be reached within the configured time, or its schema is not ours
     */
    public static Database open(MusterConfig.Database config, List<Class<?>> managed, Clock clock) {
        FirstConnection.embeddedFile(config.url()).ifPresent(Database::keepToOwner);
        String url = Pool.completed(config.url());
        FirstConnection connections = new FirstConnection(config, clock);
        // An embedded database closes with its last connection, and opening it again may take long. So keep one open.
        Optional<Connection> keepsOpen = Pool.isMariaDb(url) ? Optional.empty() : Optional.of(connections.open(url));
        HikariDataSource pool = null;
        HikariDataSource apart = null;
        try {
            Cluster cluster = new Cluster(new Migrations(config, url, connections).run(), Pool.ANSWER);
            pool = Pool.of(config, url, cluster.isGalera(), "muster", config.poolSize());
            apart = Pool.of(config, url, cluster.isGalera(), "muster-apart", 1);
            return new Database(pool, apart, cluster, entities(cluster.current(pool), managed), keepsOpen);
        } catch (RuntimeException e) {
            closeAll(pool, apart, keepsOpen);
            throw e;
        }
    }

    /** Creates the file before H2 does, which would make it as readable as every other file of this user. */
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
        // Do not name a target database here: its class would come from the WAR, and on Liberty the rest from the
        // server. EclipseLink asks the database and finds the right one.
        properties.put(PersistenceUnitProperties.WEAVING, "false");
        // EclipseLink keeps sessions by name for the whole process: without a name of its own, a second registry would
        // get the first one's database.
        properties.put(
                PersistenceUnitProperties.SESSION_NAME,
                "muster-" + System.identityHashCode(dataSource) + "-" + System.nanoTime());
        // Several nodes share the database, so a node's memory of a row may be outdated.
        properties.put(PersistenceUnitProperties.CACHE_SHARED_DEFAULT, "false");
        // EclipseLink would log statements with their parameters, serials and hashes among them.
        properties.put(PersistenceUnitProperties.LOGGING_LEVEL, "OFF");
        properties.put(PersistenceUnitProperties.LOGGING_PARAMETERS, "false");
        properties.put(PersistenceUnitProperties.EXCLUDE_ECLIPSELINK_ORM_FILE, "true");
        properties.put(PersistenceUnitProperties.THROW_EXCEPTIONS, "true");
        return new PersistenceProvider()
                .createContainerEntityManagerFactory(new PersistenceUnit(dataSource, managed), properties);
    }

    /**
     * Runs a transaction with entities.
     *
     * @return the function's result
     * @throws DatabaseUnavailableException if the database is unreachable or too busy. If the connection broke during
     *     the commit, the transaction may or may not have been committed
     * @throws DuplicateException if a unique constraint was violated
     */
    public <T> T transaction(Work<T> work) {
        Joint together = joint.get();
        return together == null ? again(() -> attempt(work)) : work.in(together.em());
    }

    /**
     * Runs a transaction in which those take part that the same thread begins meanwhile. So several changes, each of
     * which is a transaction elsewhere, are committed together. If one of them throws, let it pass: all must roll back.
     */
    public <T> T together(Work<T> work) {
        List<Runnable> afterwards = new ArrayList<>();
        T result = transaction(em -> {
            afterwards.clear();
            joint.set(new Joint(em, afterwards));
            try {
                return work.in(em);
            } finally {
                joint.remove();
            }
        });
        afterwards.forEach(Runnable::run);
        return result;
    }

    /** Does what follows a committed transaction: now, or when that is committed which the transaction took part in. */
    public void afterwards(Runnable action) {
        Joint together = joint.get();
        if (together == null) {
            action.run();
        } else {
            together.afterwards().add(action);
        }
    }

    private <T> T attempt(Work<T> work) {
        List<Ending> outer = endings.get();
        List<Ending> own = new ArrayList<>();
        endings.set(own);
        boolean known = true;
        try (EntityManager em = entities.createEntityManager()) {
            EntityTransaction transaction = em.getTransaction();
            transaction.begin();
            boolean done = false;
            try {
                T result = work.in(em);
                known = false;
                transaction.commit();
                known = true;
                done = true;
                return result;
            } catch (RuntimeException e) {
                SQLException sql = SqlFaults.in(e);
                if (known && mayBeElsewhere(sql)) {
                    throw new LostException(sql);
                }
                known |= sql != null && SqlFaults.isRolledBack(sql);
                throw e;
            } finally {
                if (!done && transaction.isActive()) {
                    rollback(transaction);
                }
            }
        } finally {
            endings.set(outer);
            for (Ending ending : own) {
                ending.ended(known);
            }
        }
    }

    /**
     * Calls back once when the transaction of this thread has ended.
     *
     * @throws IllegalStateException if it is in none
     */
    void atEnd(Ending ending) {
        List<Ending> own = endings.get();
        if (own == null) {
            throw new IllegalStateException("not within a transaction");
        }
        own.add(ending);
    }

    /** Work that can be retried when the database chose it as the victim of a conflict. */
    @FunctionalInterface
    private interface Attempt<T> {
        T run() throws SQLException;
    }

    /** Tells whether a connection broke, and there may be another database node. */
    private boolean mayBeElsewhere(SQLException e) {
        return e != null && cluster.isGalera() && SqlFaults.isLost(e);
    }

    /** The connection broke before anything could be committed, so everything may be done again on another one. */
    private static final class LostException extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1;

        private final transient SQLException sql;

        LostException(SQLException sql) {
            super(sql);
            this.sql = sql;
        }
    }

    /**
     * Retries with a random delay: losers of a race that retry at once meet again. Work that broke off with its
     * connection is retried once, because another database node may do it.
     */
    private static <T> T again(Attempt<T> attempt) {
        long started = System.nanoTime();
        boolean lost = false;
        for (int number = 1; ; number++) {
            SQLException sql;
            try {
                return attempt.run();
            } catch (LostException e) {
                if (lost) {
                    throw SqlFaults.translated(e.sql);
                }
                lost = true;
                continue;
            } catch (SQLException e) {
                sql = e;
            } catch (RuntimeException e) {
                sql = SqlFaults.in(e);
                if (sql == null) {
                    throw e;
                }
            }
            if (!SqlFaults.isRetryable(sql) || System.nanoTime() - started > LONGEST_RETRY.toNanos()) {
                throw SqlFaults.translated(sql);
            }
            long most = Math.min(LONGEST_PAUSE.toNanos(), SHORTEST_PAUSE.toNanos() << Math.min(number, MOST_DOUBLINGS));
            LockSupport.parkNanos(PAUSES.nextLong(most));
        }
    }

    private static void rollback(EntityTransaction transaction) {
        try {
            transaction.rollback();
        } catch (RuntimeException e) {
            // The connection is lost, and with it the transaction. The first fault is the one to report.
            LOG.debug("Rollback failed", e);
        }
    }

    /** Reads entities without a transaction: each query sees the data that is committed at its time. */
    public <T> T read(Work<T> work) {
        return again(() -> {
            try (EntityManager em = entities.createEntityManager()) {
                return work.in(em);
            } catch (RuntimeException e) {
                SQLException sql = SqlFaults.in(e);
                if (mayBeElsewhere(sql)) {
                    throw new LostException(sql);
                }
                throw e;
            }
        });
    }

    /** Works with a plain connection in one transaction: for bulk and single look-ups, which do not suit entities. */
    public <T> T jdbcTransaction(SqlWork<T> work) {
        return again(() -> {
            try (Connection connection = connection()) {
                return inTransaction(connection, work);
            }
        });
    }

    private Connection connection() {
        try {
            return current.getConnection();
        } catch (SQLException e) {
            throw new DatabaseUnavailableException(
                    "no connection, " + e.getClass().getSimpleName());
        }
    }

    private <T> T inTransaction(Connection connection, SqlWork<T> work) throws SQLException {
        connection.setAutoCommit(false);
        boolean done = false;
        boolean committing = false;
        try {
            T result = work.in(connection);
            committing = true;
            connection.commit();
            done = true;
            return result;
        } catch (SQLException e) {
            if (!committing && mayBeElsewhere(e)) {
                throw new LostException(e);
            }
            throw e;
        } finally {
            try {
                if (!done) {
                    connection.rollback();
                }
                connection.setAutoCommit(true);
            } catch (SQLException e) {
                // The connection is lost; the pool notices.
                LOG.debug("Rollback failed", e);
            }
        }
    }

    /** Works with a plain connection without a transaction: each statement is committed by itself. */
    public <T> T jdbc(SqlWork<T> work) {
        return again(() -> {
            try (Connection connection = connection()) {
                return work.in(connection);
            }
        });
    }

    /**
     * Runs statements on a connection reserved for this, each committed by itself. It is for work that must go on while
     * all other connections are taken. One thread at a time.
     */
    <T> T apart(SqlWork<T> work) {
        try (Connection connection = apart.getConnection()) {
            return work.in(connection);
        } catch (SQLException e) {
            throw SqlFaults.translated(e);
        }
    }

    /**
     * Notes that a write was committed on a connection, which shows that its database node is current.
     *
     * @param before the time of the nanosecond clock before the write
     */
    void committed(Connection connection, long before) throws SQLException {
        cluster.committed(connection, before);
    }

    /** Notes that a transaction of this registry node changed something that it must see from now on. */
    void changed() {
        cluster.changed();
    }

    /** Tells whether connections go to several nodes of a cluster, which see a change one after another. */
    boolean usesSeveralNodes() {
        return cluster.usesSeveral();
    }

    /**
     * Reads something that another registry node may just have written. If there is nothing, and the database is a
     * cluster, it reads once more after its database node has applied everything that was committed anywhere. Do not
     * call it within a transaction.
     */
    public <T> Optional<T> found(Supplier<Optional<T>> read) {
        Optional<T> found = read.get();
        return found.isPresent() || !cluster.isGalera() || joint.get() != null ? found : cluster.newest(read);
    }

    /**
     * Runs something whose reads and transactions see everything that was committed on the cluster when they begin. On
     * a single server that is always so.
     */
    public <T> T newest(Supplier<T> work) {
        return cluster.newest(work);
    }

    /**
     * How the connections of requests and tasks are used now.
     *
     * @param waiting how many threads wait for one
     */
    public record Connections(int used, int idle, int waiting, int most) {}

    /** Returns how connections are used now. Asks no database. */
    public Connections connections() {
        HikariPoolMXBean now = pool.getHikariPoolMXBean();
        return now == null
                ? new Connections(0, 0, 0, pool.getMaximumPoolSize())
                : new Connections(
                        now.getActiveConnections(),
                        now.getIdleConnections(),
                        now.getThreadsAwaitingConnection(),
                        pool.getMaximumPoolSize());
    }

    /** Opens all connections of the pool, as far as it can, so that the first requests need not wait for them. */
    public void fill() {
        List<Connection> all = new ArrayList<>();
        try {
            for (int i = 0; i < pool.getMaximumPoolSize(); i++) {
                all.add(pool.getConnection());
            }
        } catch (SQLException e) {
            LOG.debug("Not all connections could be opened", e);
        } finally {
            for (Connection connection : all) {
                try {
                    connection.close();
                } catch (SQLException e) {
                    LOG.debug("A connection could not be given back", e);
                }
            }
        }
    }

    /** Returns the queries of operators, which never take the connections that devices need. */
    public OperatorQueries forOperators() {
        return operatorQueries;
    }

    /** Tells whether a request would get a connection now, and can read with it. */
    public boolean isAvailable() {
        try (Connection connection = current.getConnection();
                Statement select = connection.createStatement()) {
            select.executeQuery("SELECT name FROM fleet LIMIT 1").close();
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    /** Returns the text of a column of a native query. Some databases return an object to read it from. */
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

    /** Runs plain SQL in the transaction of an entity manager. A failure ends the transaction as any other does. */
    public static <T> T within(EntityManager em, SqlWork<T> work) {
        try {
            return work.in(em.unwrap(Connection.class));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Tells whether an exception from within a transaction is the violation of a unique constraint. */
    public static boolean isDuplicate(RuntimeException thrown) {
        SQLException sql = SqlFaults.in(thrown);
        return sql != null && SqlFaults.isDuplicate(sql);
    }

    @Override
    public void close() {
        entities.close();
        closeAll(pool, apart, keepsOpen);
    }

    private static void closeAll(HikariDataSource pool, HikariDataSource apart, Optional<Connection> keepsOpen) {
        Stream.of(pool, apart).filter(Objects::nonNull).forEach(HikariDataSource::close);
        keepsOpen.ifPresent(connection -> {
            try {
                connection.close();
            } catch (SQLException e) {
                LOG.debug("The last connection could not be closed", e);
            }
        });
    }
}
