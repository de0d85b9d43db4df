// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The queries by which operators list and count. Few of them run on a node at once, so that devices always find a
 * connection. Each statement ends after some seconds in the database too, even if nobody waits for it any more.
 * Thread-safe.
 */
public final class OperatorQueries {

    /** How long one statement may take: less than the time after which a connection counts as broken. */
    static final Duration LONGEST = Duration.ofSeconds(5);

    /** How long a query waits for others to end. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final Duration COME_BACK = Duration.ofSeconds(10);

    // MariaDB: max_statement_time exceeded. H2: statement cancelled, or a lock not granted in time.
    private static final Set<Integer> OVERDUE = Set.of(1969, 57014, 50200);

    private final Database database;
    private final Duration longest;
    private final Semaphore places;
    private final Semaphore placesOfChanges;

    /**
     * Queries the database.
     *
     * @param atOnce how many queries at once, and how many changes
     * @param longest how long one statement may take
     */
    OperatorQueries(Database database, int atOnce, Duration longest) {
        this.database = database;
        this.longest = longest;
        this.places = new Semaphore(atOnce, true);
        this.placesOfChanges = new Semaphore(atOnce, true);
    }

    /** Returns how many queries a node runs at once: a quarter of its connections. */
    static int share(int poolSize) {
        return Math.max(1, poolSize / 4);
    }

    /**
     * Runs a query, which may be several statements. Do not call it within a transaction or another query.
     *
     * @throws RegistryException {@code TOO_BUSY} if others take all places, {@code TOO_SLOW} if a statement took too
     *     long
     * @throws DatabaseUnavailableException if the database is unreachable
     */
    public <T> T jdbc(Database.SqlWork<T> work) {
        enter(places);
        try {
            return database.jdbc(connection -> limited(connection, work));
        } finally {
            places.release();
        }
    }

    /**
     * Runs a transaction that may wait until others, such as an import, unlock what it changes. Such transactions have
     * places of their own, so that queries never delay an operator's change.
     *
     * @throws RegistryException {@code TOO_BUSY} if others take all places, {@code TOO_SLOW} if a statement took too
     *     long; then nothing was changed
     * @throws DatabaseUnavailableException if the database is unreachable
     */
    public <T> T change(Database.Work<T> work) {
        enter(placesOfChanges);
        try {
            return database.transaction(em -> {
                Connection connection = em.unwrap(Connection.class);
                try {
                    return limited(connection, same -> work.in(em));
                } catch (SQLException e) {
                    throw new IllegalStateException("the time of a statement could not be limited", e);
                }
            });
        } finally {
            placesOfChanges.release();
        }
    }

    private static void enter(Semaphore places) {
        try {
            if (places.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw RegistryException.later(ProblemType.TOO_BUSY, "operators' queries take all of their places", COME_BACK);
    }

    private <T> T limited(Connection connection, Database.SqlWork<T> work) throws SQLException {
        boolean mariaDb = connection.getMetaData().getDatabaseProductName().equals("MariaDB");
        execute(
                connection,
                mariaDb
                        ? "SET SESSION max_statement_time = " + longest.toMillis() / 1000.0
                        : "SET QUERY_TIMEOUT " + longest.toMillis());
        try {
            return work.in(connection);
        } catch (SQLException | RuntimeException e) {
            if (isOverdue(e)) {
                throw RegistryException.later(
                        ProblemType.TOO_SLOW, "a statement for an operator took longer than " + longest, COME_BACK);
            }
            throw e;
        } finally {
            execute(connection, mariaDb ? "SET SESSION max_statement_time = DEFAULT" : "SET QUERY_TIMEOUT 0");
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Tells whether the database ended a statement because its time was over. */
    private static boolean isOverdue(Exception thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            if (t instanceof SQLException e && OVERDUE.contains(e.getErrorCode())) {
                return true;
            }
        }
        return false;
    }
}
