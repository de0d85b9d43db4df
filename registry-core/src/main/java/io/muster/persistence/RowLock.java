// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import jakarta.persistence.EntityManager;
import jakarta.persistence.Query;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Locks a row until the end of the transaction, against all nodes of the registry, wherever each of them has its
 * database. It counts up the column {@code times_locked} of the row.
 *
 * <p>A lock must be a write. {@code SELECT ... FOR UPDATE} locks a row on one database node only, and Galera does not
 * compare it with what others commit. Galera certifies rows that were changed: of two transactions that lock one row
 * this way, the second one to commit is rolled back, and {@link Database} runs it again. An {@code UPDATE} that changes
 * nothing is no write either.
 *
 * <p>Read the data of a decision after you took the lock. The data then includes everything that was committed under
 * this lock before. Data that was read earlier in the transaction may be older. Immutable.
 */
public final class RowLock {

    /** Ends an INSERT of a row whose key is the lock, and that may be there already. */
    public static final String OR_LOCK = " ON DUPLICATE KEY UPDATE times_locked = times_locked + 1";

    private final String update;

    private RowLock(String update) {
        this.update = update;
    }

    /**
     * Makes a lock of each row of a table.
     *
     * @param keys the columns of the primary key, or of a unique one
     */
    public static RowLock of(String table, String... keys) {
        return new RowLock("UPDATE " + table + " SET times_locked = times_locked + 1 WHERE "
                + Arrays.stream(keys).map(key -> key + " = ?").collect(Collectors.joining(" AND ")));
    }

    /**
     * Locks a row.
     *
     * @param key the values of the columns of the key, in their order
     * @return false if there is no such row; then nothing is locked
     */
    public boolean take(EntityManager em, Object... key) {
        Query query = em.createNativeQuery(update);
        for (int i = 0; i < key.length; i++) {
            query.setParameter(i + 1, key[i]);
        }
        return query.executeUpdate() == 1;
    }
}
