// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.util.Set;

/**
 * Classifies the errors of MariaDB and H2. They are told apart by type, SQL state and code, never by their text. The
 * text may contain the statement with its values, and for that reason it is not repeated either.
 */
final class SqlFaults {

    /** The transaction was rolled back and may succeed if it is run again. */
    private static final Set<Integer> RETRYABLE = Set.of(
            1213, // deadlock, or a certification failure of Galera
            1205, // waited too long for a lock
            1020, // the row changed since it was read (innodb_snapshot_isolation)
            50200); // H2: waited too long for a lock

    /** The connection was killed. */
    private static final int KILLED = 1927;

    /** The database cannot do its work now; the statement itself is right. */
    private static final Set<Integer> UNAVAILABLE = Set.of(
            1021, // disk full
            1030, // error of the storage engine
            1053, // shutting down
            1114, // table full
            1180, // error during COMMIT
            1226, // limit of the user reached
            1290, // read-only, for one
            1317, // statement was interrupted
            1792, // read-only transaction
            1836, // read-only mode
            KILLED, 50000, // H2: the file cannot be written, for one because the disk is full
            90028, // H2: the same
            90031, // H2: the same
            90067, // H2: connection is broken
            90098, // H2: database was closed
            90121); // H2: database is closed at the end of the process

    /** The database of a connection to H2 was closed. */
    private static final Set<Integer> CLOSED = Set.of(90067, 90098, 90121);

    private SqlFaults() {}

    /** Returns the fault of the database among the causes, or null. */
    static SQLException in(Throwable thrown) {
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

    /** Tells whether a unique constraint was violated. */
    static boolean isDuplicate(SQLException e) {
        return e instanceof SQLIntegrityConstraintViolationException || state(e).startsWith("23");
    }

    /** Tells whether the transaction was rolled back, and may succeed if it is run again. */
    static boolean isRetryable(SQLException e) {
        return state(e).equals("40001") || RETRYABLE.contains(e.getErrorCode());
    }

    /** Tells whether an embedded database was closed, so that only a new connection opens it again. */
    static boolean isClosed(SQLException e) {
        return CLOSED.contains(e.getErrorCode());
    }

    /**
     * Tells whether the database refused a statement for good. Its transaction is then not committed and never will be.
     */
    static boolean isRolledBack(SQLException e) {
        return isDuplicate(e) || isRetryable(e);
    }

    /**
     * Tells whether the connection broke, or its database node left the cluster. False if no connection was available:
     * then it is of no use to wait for another one.
     */
    static boolean isLost(SQLException e) {
        return !(e instanceof SQLTransientConnectionException)
                && (e instanceof SQLNonTransientConnectionException
                        || state(e).startsWith("08")
                        || e.getErrorCode() == KILLED);
    }

    private static boolean isUnavailable(SQLException e) {
        return e instanceof SQLTransientConnectionException
                || e instanceof SQLNonTransientConnectionException
                || e instanceof SQLTimeoutException
                || e instanceof SQLRecoverableException
                || state(e).startsWith("08") // connection
                || state(e).equals("70100") // statement was killed
                || isTakenAway(e)
                || state(e).equals("HYT00") // H2: took too long
                || UNAVAILABLE.contains(e.getErrorCode());
    }

    /** Tells whether the pool took the connection away, as it does when an earlier statement on it failed. */
    private static boolean isTakenAway(SQLException e) {
        return e.getSQLState() == null && e.getErrorCode() == 0;
    }

    /** Returns the exception to throw instead. */
    static RuntimeException translated(SQLException e) {
        if (isDuplicate(e)) {
            return new DuplicateException();
        }
        String what = e.getClass().getSimpleName() + ", SQL state " + e.getSQLState() + ", code " + e.getErrorCode();
        return isRetryable(e) || isUnavailable(e)
                ? new DatabaseUnavailableException(what)
                : new IllegalStateException("The database refused a statement: " + what);
    }

    private static String state(SQLException e) {
        return String.valueOf(e.getSQLState());
    }
}
