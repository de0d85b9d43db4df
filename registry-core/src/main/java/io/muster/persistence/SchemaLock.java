// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lock under which one registry node changes the schema of a MariaDB, whichever database node of a cluster it uses.
 * It is a row with a fixed key: the locks that a server offers by name are known to that database node only. Taking it
 * is a compare-and-swap, which Galera certifies.
 *
 * <p>Its holder counts the row up every second. A waiting node takes the lock of a holder that was killed: if the row
 * did not change for a time in which the database accepted writes. A long change of the schema lets nobody write, so it
 * never looks like a killed holder. No clocks are compared.
 */
final class SchemaLock {

    static final String TABLE = "muster_schema_lock";

    private static final Logger LOG = LoggerFactory.getLogger(SchemaLock.class);
    private static final Duration BEAT = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofMillis(300);
    private static final Duration SAID_AGAIN = Duration.ofSeconds(10);

    /** A write that takes longer than this means that the holder cannot write either. */
    private static final Duration QUICK = Duration.ofSeconds(1);

    private static final String CREATE = "CREATE TABLE IF NOT EXISTS " + TABLE
            + " (id INT NOT NULL, holder BIGINT NOT NULL, beat BIGINT NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB";
    private static final String INSERT =
            "INSERT INTO " + TABLE + " (id, holder, beat) VALUES (?, 0, 0) ON DUPLICATE KEY UPDATE id = id";
    private static final String READ = "SELECT holder, beat FROM " + TABLE + " WHERE id = 1";
    private static final String TAKE =
            "UPDATE " + TABLE + " SET holder = ?, beat = beat + 1 WHERE id = 1 AND holder = ? AND beat = ?";
    private static final String KEEP = "UPDATE " + TABLE + " SET beat = beat + 1 WHERE id = 1 AND holder = ?";
    private static final String RELEASE =
            "UPDATE " + TABLE + " SET holder = 0, beat = beat + 1 WHERE id = 1 AND holder = ?";
    private static final String PROBE = "UPDATE " + TABLE + " SET beat = beat + 1 WHERE id = 2";

    private record Row(long holder, long beat) {}

    private final Connection connection;
    private final long me = (new SecureRandom().nextLong() >>> 2) + 1;
    private final ScheduledExecutorService beats = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "muster-schema-lock");
        thread.setDaemon(true);
        return thread;
    });

    private SchemaLock(Connection connection) {
        this.connection = connection;
    }

    /**
     * Waits for the lock and takes it.
     *
     * @param connection used by nobody else until the lock is released; in the mode in which each statement is committed
     * @param silence for how long a holder must be silent to count as killed
     * @param place the name of the database in the log
     */
    static SchemaLock take(Connection connection, Duration silence, String place) throws SQLException {
        SchemaLock lock = new SchemaLock(connection);
        try {
            lock.prepare();
            lock.await(silence, place);
            var unused = lock.beats.scheduleWithFixedDelay(
                    lock::beat, BEAT.toMillis(), BEAT.toMillis(), TimeUnit.MILLISECONDS);
            return lock;
        } catch (SQLException | RuntimeException e) {
            lock.beats.shutdownNow();
            throw e;
        }
    }

    private void prepare() throws SQLException {
        again(() -> {
            try (Statement create = connection.createStatement()) {
                create.execute(CREATE);
            }
            return 0;
        });
        update(INSERT, 1);
        update(INSERT, 2);
    }

    private void await(Duration silence, String place) throws SQLException {
        Row seen = null;
        long seenAt = 0;
        long saidAt = System.nanoTime();
        while (true) {
            long now = System.nanoTime();
            Row row = read();
            boolean silent = row.equals(seen) && now - seenAt > silence.toNanos();
            if ((row.holder() == 0 || silent) && update(TAKE, me, row.holder(), row.beat()) == 1) {
                return;
            }
            if (!row.equals(seen)) {
                seen = row;
                seenAt = now;
            }
            if (now - saidAt > SAID_AGAIN.toNanos()) {
                saidAt = now;
                LOG.info(
                        "Another node, or a start that was killed, is still bringing the schema of {} up to date;"
                                + " waiting for it",
                        place);
            }
            LockSupport.parkNanos(PAUSE.toNanos());
            long before = System.nanoTime();
            update(PROBE);
            if (System.nanoTime() - before > QUICK.toNanos()) {
                seen = null;
            }
        }
    }

    private Row read() throws SQLException {
        try (Statement select = connection.createStatement();
                ResultSet row = select.executeQuery(READ)) {
            row.next();
            return new Row(row.getLong(1), row.getLong(2));
        }
    }

    private void beat() {
        try {
            if (update(KEEP, me) == 0) {
                LOG.error("Another node took the lock on the schema, because this one was asleep for too long");
            }
        } catch (SQLException e) {
            LOG.debug("The lock on the schema could not be kept", e);
        }
    }

    /** Lets the next node take it. If that fails, the others wait until the holder was silent for long enough. */
    void release() {
        beats.shutdown();
        try {
            if (!beats.awaitTermination(BEAT.toMillis() * 5, TimeUnit.MILLISECONDS)) {
                beats.shutdownNow();
            }
            update(RELEASE, me);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            LOG.debug("The lock on the schema could not be released", e);
        }
    }

    @FunctionalInterface
    private interface Attempt {
        int run() throws SQLException;
    }

    private int update(String sql, long... parameters) throws SQLException {
        return again(() -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    statement.setLong(i + 1, parameters[i]);
                }
                return statement.executeUpdate();
            }
        });
    }

    /** Several nodes write at once here, and the loser of a race tries again. */
    private static int again(Attempt attempt) throws SQLException {
        while (true) {
            try {
                return attempt.run();
            } catch (SQLException e) {
                if (!SqlFaults.isRetryable(e)) {
                    throw e;
                }
                LockSupport.parkNanos(new SecureRandom().nextLong(PAUSE.toNanos()));
            }
        }
    }
}
