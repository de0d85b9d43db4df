// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.persistence.RowLock;
import io.muster.persistence.Sql;
import io.muster.user.User;
import jakarta.persistence.EntityManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * The row that says whom a serial belongs to. It is also the lock of every change of the owner. It stays when the device
 * is released.
 *
 * @param owner empty for nobody
 * @param name how the owner calls the device
 */
record OwnedSerial(
        byte[] id,
        String fleet,
        String serial,
        Optional<Owner> owner,
        Optional<String> name,
        Optional<Instant> claimedAt) {

    /** The columns that {@link #of} reads, of a table called o. */
    static final String COLUMNS =
            "o.id, o.fleet, o.serial, o.provider, o.issuer, o.subject, o.user_name, o.group_name, o.name, o.claimed_at";

    private static final String ROW = "SELECT o.id, o.provider, o.issuer, o.subject, o.user_name, o.group_name, o.name,"
            + " o.claimed_at FROM owned_serial o WHERE o.fleet = ? AND o.serial = ?";

    /** Reads a row that has the columns {@value #COLUMNS} in this order. */
    static OwnedSerial of(ResultSet row) throws SQLException {
        return new OwnedSerial(
                row.getBytes(1),
                row.getString(2),
                row.getString(3),
                owner(row.getString(4), row.getString(5), row.getString(6), row.getString(7), row.getString(8)),
                Optional.ofNullable(row.getString(9)),
                Sql.time(row, 10));
    }

    private static Optional<Owner> owner(
            String provider, String issuer, String subject, String userName, String groupName) {
        return provider == null
                ? Optional.empty()
                : Optional.of(new Owner(
                        new User(
                                provider,
                                issuer,
                                subject,
                                Optional.ofNullable(userName),
                                groupName == null ? Set.of() : Set.of(groupName)),
                        Optional.ofNullable(groupName)));
    }

    /**
     * Locks the row of a serial until the transaction ends, and makes it if there is none. A device with this serial is
     * locked before its row, by everybody.
     *
     * @param id of a new row
     */
    static OwnedSerial lock(EntityManager em, byte[] id, String fleet, String serial) {
        em.createNativeQuery("INSERT INTO owned_serial (id, fleet, serial) VALUES (?, ?, ?)" + RowLock.OR_LOCK)
                .setParameter(1, id)
                .setParameter(2, fleet)
                .setParameter(3, serial)
                .executeUpdate();
        Object[] row = (Object[]) em.createNativeQuery(ROW)
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .getSingleResult();
        return new OwnedSerial(
                (byte[]) row[0],
                fleet,
                serial,
                owner((String) row[1], (String) row[2], (String) row[3], (String) row[4], (String) row[5]),
                Optional.ofNullable((String) row[6]),
                Optional.ofNullable((Number) row[7]).map(millis -> Instant.ofEpochMilli(millis.longValue())));
    }

    /** Stores another owner in the locked row, and how that one calls the device. */
    static void write(EntityManager em, OwnedSerial row, Optional<Owner> owner, Optional<String> name, Instant at) {
        Optional<User> user = owner.map(Owner::user);
        Optional<String> group = owner.flatMap(Owner::group);
        em.createNativeQuery("UPDATE owned_serial SET provider = ?, issuer = ?, subject = ?, user_name = ?,"
                        + " group_name = ?, user_key = ?, group_key = ?, name = ?, claimed_at = ? WHERE id = ?")
                .setParameter(1, user.map(User::provider).orElse(null))
                .setParameter(2, user.map(User::issuer).orElse(null))
                .setParameter(3, user.map(User::subject).orElse(null))
                .setParameter(4, user.flatMap(User::name).orElse(null))
                .setParameter(5, group.orElse(null))
                // Lists are read by these: a device of a group is in the list of the group alone.
                .setParameter(6, group.isPresent() ? null : user.map(User::key).orElse(null))
                .setParameter(
                        7,
                        group.map(members -> user.orElseThrow().groupKey(members))
                                .orElse(null))
                .setParameter(8, name.orElse(null))
                .setParameter(9, owner.isPresent() ? at.toEpochMilli() : null)
                .setParameter(10, row.id())
                .executeUpdate();
    }

    /** Stores how the owner calls the device. */
    static void rename(EntityManager em, OwnedSerial row, Optional<String> name) {
        em.createNativeQuery("UPDATE owned_serial SET name = ? WHERE id = ?")
                .setParameter(1, name.orElse(null))
                .setParameter(2, row.id())
                .executeUpdate();
    }
}
