// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.disconnection.Disconnections;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Orders of operators for all credentials of a fleet, a lot or a device at once: to revoke them, or to renew them
 * within a window. An order is one row, whatever the number of credentials, and applies to those that are older than
 * it. Every node keeps the orders in memory, at most two seconds late. Thread-safe.
 */
@Part
public final class CredentialOrders {

    private static final int FLEETS = 1000;
    private static final String SUBJECT = "credential-orders/";

    private static final String SELECT = "SELECT id, kind, lot, device_id, issued_at, not_before, not_after, reason,"
            + " operator, ended_at FROM credential_order WHERE fleet = ? ORDER BY id";

    /** The kinds of orders. */
    public enum Kind {
        /** The credentials are no longer good. */
        REVOKE("R"),
        /** Devices are told to renew them, each at its own time within the window. */
        ROTATE("N");

        private final String letter;

        Kind(String letter) {
            this.letter = letter;
        }

        /** Returns the word for the wire. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * The credentials that an order applies to: those of a fleet, or of a part of it.
     *
     * @param lot of devices of this lot only
     * @param device of this device only
     */
    public record Scope(String fleet, Optional<String> lot, Optional<DeviceId> device) {

        boolean has(Owner owner) {
            return lot.map(name -> owner.lot().equals(Optional.of(name))).orElse(true)
                    && device.map(owner.device()::equals).orElse(true);
        }
    }

    /**
     * The owner of a credential.
     *
     * @param lot of the device, if it came in one
     */
    public record Owner(Optional<String> lot, DeviceId device) {}

    /**
     * The properties of a credential that decide when it is to be renewed.
     *
     * @param expiresAt when it ends
     * @param lifetime how long it is good from its first use on; empty for ever
     */
    public record Renewable(String key, Instant createdAt, Optional<Instant> expiresAt, Optional<Duration> lifetime) {

        /** Returns a time somewhat before its end, once it is in the second half of its life; else empty. */
        private Optional<Instant> beforeItEnds(Instant now) {
            return lifetime.flatMap(life -> expiresAt
                    .filter(end -> !now.isBefore(end.minus(life.dividedBy(2))))
                    .map(end -> end.minusMillis(life.toMillis() / 10)));
        }
    }

    /**
     * An order.
     *
     * @param id 32 hex digits
     * @param issuedAt the order applies to credentials that are older
     * @param notBefore when the window of a rotation begins
     * @param notAfter when it ends
     * @param reason why, for people
     * @param operator by whom
     * @param endedAt when a rotation was cancelled
     */
    public record Order(
            String id,
            Kind kind,
            Scope scope,
            Instant issuedAt,
            Instant notBefore,
            Instant notAfter,
            String reason,
            String operator,
            Optional<Instant> endedAt) {

        boolean means(Kind wanted, Owner owner, Instant createdAt) {
            return kind == wanted && endedAt.isEmpty() && scope.has(owner) && createdAt.isBefore(issuedAt);
        }

        /**
         * Returns a time within the window that is the same on every node and differs from credential to credential.
         */
        Instant turnOf(String key) {
            long window = Duration.between(notBefore, notAfter).toMillis();
            return notBefore.plusMillis((long) (window * fraction(key)));
        }

        private double fraction(String key) {
            try {
                byte[] hash = MessageDigest.getInstance("SHA-256")
                        .digest((id + " " + key).getBytes(StandardCharsets.US_ASCII));
                return (ByteBuffer.wrap(hash).getInt() & 0xffffffffL) / (double) (1L << 32);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java platform has SHA-256", e);
            }
        }
    }

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Ids ids;
    private final Clock clock;
    private final Changes.Remembered<List<Order>> orders;

    /** Stores the orders in the database. */
    @Inject
    public CredentialOrders(
            Database database,
            Changes changes,
            Audit audit,
            Disconnections disconnections,
            Ids ids,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.ids = ids;
        this.clock = clock;
        this.orders = changes.remember(FLEETS, subject -> Optional.of(load(subject.substring(SUBJECT.length()))));
    }

    /** Revokes every existing credential in the scope. Effective on this node at once, on others within two seconds. */
    public Order revoke(Scope scope, String reason, String operator) {
        Instant now = clock.instant();
        return issue(Kind.REVOKE, scope, now, now, reason, operator);
    }

    /** Orders that every existing credential in the scope be renewed between the two times. */
    public Order rotate(Scope scope, Instant notBefore, Instant notAfter, String reason, String operator) {
        return issue(Kind.ROTATE, scope, notBefore, notAfter, reason, operator);
    }

    private Order issue(Kind kind, Scope scope, Instant notBefore, Instant notAfter, String reason, String operator) {
        // Add one millisecond, so that credentials issued within this millisecond are included.
        Instant issued = Instant.ofEpochMilli(clock.millis() + 1);
        byte[] id = ids.next();
        database.transaction(em -> {
            insert(em, id, kind, scope, issued, notBefore, notAfter, reason, operator);
            audit.record(
                    em,
                    kind == Kind.REVOKE ? Audit.Type.CREDENTIALS_REVOKED : Audit.Type.ROTATION_ORDERED,
                    scope.fleet(),
                    null,
                    scope.device().map(device -> Ids.bytes(device.value())).orElse(null),
                    operator,
                    scope.lot().map(lot -> "lot " + lot + ": ").orElse("") + reason);
            changes.note(em, List.of(SUBJECT + scope.fleet()));
            if (kind == Kind.REVOKE) {
                disconnections.requestAll(em, scope.fleet(), scope.lot());
            }
            return null;
        });
        database.afterwards(() -> {
            changes.forget(List.of(SUBJECT + scope.fleet()));
            disconnections.committed();
        });
        return new Order(Ids.hex(id), kind, scope, issued, notBefore, notAfter, reason, operator, Optional.empty());
    }

    private static void insert(
            EntityManager em,
            byte[] id,
            Kind kind,
            Scope scope,
            Instant issued,
            Instant notBefore,
            Instant notAfter,
            String reason,
            String operator) {
        em.createNativeQuery("INSERT INTO credential_order (id, kind, fleet, lot, device_id, issued_at, not_before,"
                        + " not_after, reason, operator) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                .setParameter(1, id)
                .setParameter(2, kind.letter)
                .setParameter(3, scope.fleet())
                .setParameter(4, scope.lot().orElse(null))
                .setParameter(
                        5,
                        scope.device().map(device -> Ids.bytes(device.value())).orElse(null))
                .setParameter(6, issued.toEpochMilli())
                .setParameter(7, notBefore.toEpochMilli())
                .setParameter(8, notAfter.toEpochMilli())
                .setParameter(9, reason)
                .setParameter(10, operator)
                .executeUpdate();
    }

    /**
     * Cancels a rotation. Devices that have renewed already keep their new credentials.
     *
     * @return false if the fleet has no active rotation by this id
     */
    public boolean callOff(String fleet, String id, String operator) {
        boolean ended = database.transaction(em -> {
            int rows = em.createNativeQuery("UPDATE credential_order SET ended_at = ? WHERE id = ? AND fleet = ?"
                            + " AND kind = 'N' AND ended_at IS NULL")
                    .setParameter(1, clock.millis())
                    .setParameter(2, Ids.bytes(id))
                    .setParameter(3, fleet)
                    .executeUpdate();
            if (rows == 1) {
                audit.record(em, Audit.Type.ROTATION_CALLED_OFF, fleet, null, null, operator, "rotation " + id);
                changes.note(em, List.of(SUBJECT + fleet));
            }
            return rows == 1;
        });
        changes.forget(List.of(SUBJECT + fleet));
        return ended;
    }

    /** Returns the orders of a fleet. Do not call it within a transaction: it may need a connection of its own. */
    public OfFleet of(String fleet) {
        return new OfFleet(fleet, orders.get(SUBJECT + fleet).orElseThrow());
    }

    /**
     * Returns the orders of a fleet as the database has them now, within a transaction. For decisions whose effect
     * outlives the two seconds by which {@link #of} may be late.
     */
    public static OfFleet now(EntityManager em, String fleet) {
        List<?> rows = em.createNativeQuery(SELECT).setParameter(1, fleet).getResultList();
        return new OfFleet(
                fleet, rows.stream().map(row -> order(fleet, (Object[]) row)).toList());
    }

    /** Forgets the orders of a fleet, so that the next call reads them again. */
    void forget(String fleet) {
        changes.forget(List.of(SUBJECT + fleet));
    }

    /**
     * The orders of a fleet at one time.
     *
     * @param all the oldest first
     */
    public record OfFleet(String fleet, List<Order> all) {

        /**
         * Lists orders of one kind, the oldest first.
         *
         * @param after the last id of the page before; empty for the first page
         */
        public List<Order> list(Kind kind, Optional<String> after, int atMost) {
            return all.stream()
                    .filter(order -> order.kind() == kind)
                    .filter(order ->
                            after.map(last -> order.id().compareTo(last) > 0).orElse(true))
                    .limit(atMost)
                    .toList();
        }

        /** Tells whether a credential of this age is revoked by an order. */
        public boolean revoke(Owner owner, Instant createdAt) {
            return all.stream().anyMatch(order -> order.means(Kind.REVOKE, owner, createdAt));
        }

        /**
         * Returns when a credential that is issued now counts as issued: not before a revocation that was ordered
         * already, even if the clock of this node is behind. Otherwise it would be revoked at once.
         */
        public Instant issuedAt(Owner owner, Instant now) {
            return all.stream()
                    .filter(order -> order.means(Kind.REVOKE, owner, now))
                    .map(Order::issuedAt)
                    .max(Instant::compareTo)
                    .orElse(now);
        }

        /** Returns when a credential must be renewed, by order or because it ends, whichever is earlier; or empty. */
        public Optional<Instant> rotateBy(Owner owner, Renewable credential, Instant now) {
            return Stream.concat(
                            all.stream()
                                    .filter(order -> order.means(Kind.ROTATE, owner, credential.createdAt()))
                                    .map(order -> order.turnOf(credential.key())),
                            credential.beforeItEnds(now).stream())
                    .min(Instant::compareTo);
        }
    }

    private List<Order> load(String fleet) {
        return List.copyOf(database.jdbc(Sql.of(SELECT, fleet).list(row -> order(fleet, row))));
    }

    private static Order order(String fleet, ResultSet row) throws SQLException {
        Object[] columns = new Object[10];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = i == 0 || i == 3 ? row.getBytes(i + 1) : row.getObject(i + 1);
        }
        return order(fleet, columns);
    }

    private static Order order(String fleet, Object[] row) {
        return new Order(
                Ids.hex((byte[]) row[0]),
                row[1].equals(Kind.REVOKE.letter) ? Kind.REVOKE : Kind.ROTATE,
                new Scope(
                        fleet,
                        Optional.ofNullable((String) row[2]),
                        Optional.ofNullable((byte[]) row[3]).map(id -> new DeviceId(Ids.hex(id)))),
                time(row[4]).orElseThrow(),
                time(row[5]).orElseThrow(),
                time(row[6]).orElseThrow(),
                (String) row[7],
                (String) row[8],
                time(row[9]));
    }

    private static Optional<Instant> time(Object column) {
        return Optional.ofNullable(column).map(millis -> Instant.ofEpochMilli(((Number) millis).longValue()));
    }
}
