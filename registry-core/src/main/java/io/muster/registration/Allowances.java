// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Query;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Permissions by operators for one serial to register once more, within a window. The registration that needs an
 * allowance uses it. The first use of any new credential of the device spends it; until then a device whose reply was
 * lost may ask again. Thread-safe.
 */
@Part
public final class Allowances {

    /** The longest window. */
    public static final int MOST_DAYS = 366;

    private static final String COLUMNS =
            "id, fleet, serial, reason, operator, not_before, not_after, given_key, given_at,"
                    + " spent_at, revoked_at";

    private static final IndexRange BY_ID = IndexRange.of("fleet", "id");
    private static final IndexRange BY_SERIAL = IndexRange.of("fleet", "serial", "id");

    /** The states of an allowance. */
    public enum State {
        /** Its window has not begun, or no device has registered with it yet. */
        OPEN,
        /** The serial registered with it, but has not used the new credential. */
        GIVEN,
        /** The device used a new credential. */
        SPENT,
        /** An operator revoked it. */
        REVOKED,
        /** Its window ended before it was used. */
        EXPIRED
    }

    /**
     * A permission.
     *
     * @param id 32 hex digits
     * @param reason why it was given, for people
     * @param operator the operator who gave it
     * @param givenAt when the serial last registered with it
     * @param spentAt when the device first used a new credential
     */
    public record Allowance(
            String id,
            String fleet,
            String serial,
            String reason,
            String operator,
            Instant notBefore,
            Instant notAfter,
            Optional<String> givenKey,
            Optional<Instant> givenAt,
            Optional<Instant> spentAt,
            Optional<Instant> revokedAt) {

        /** Returns its state at this time. */
        public State state(Instant now) {
            if (spentAt.isPresent()) {
                return State.SPENT;
            }
            if (revokedAt.isPresent()) {
                return State.REVOKED;
            }
            if (!now.isBefore(notAfter)) {
                return State.EXPIRED;
            }
            return givenKey.isPresent() ? State.GIVEN : State.OPEN;
        }

        /** Tells whether the serial may register with it now. */
        boolean permits(Instant now) {
            State state = state(now);
            return (state == State.OPEN || state == State.GIVEN) && !now.isBefore(notBefore);
        }
    }

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Ids ids;
    private final Clock clock;

    /** Keeps allowances in the database. */
    @Inject
    public Allowances(Database database, Changes changes, Audit audit, Ids ids, @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * Permits each of the serials to register once more within the window. If the database fails, none is permitted.
     */
    public List<Allowance> create(
            String fleet,
            List<SerialNumber> serials,
            Instant notBefore,
            Instant notAfter,
            String reason,
            String operator) {
        return database.transaction(em -> {
            List<Allowance> made = new ArrayList<>();
            for (SerialNumber serial : serials) {
                byte[] id = ids.next();
                em.createNativeQuery(
                                "INSERT INTO allowance (id, fleet, serial, reason, operator, not_before, not_after)"
                                        + " VALUES (?, ?, ?, ?, ?, ?, ?)")
                        .setParameter(1, id)
                        .setParameter(2, fleet)
                        .setParameter(3, serial.value())
                        .setParameter(4, reason)
                        .setParameter(5, operator)
                        .setParameter(6, notBefore.toEpochMilli())
                        .setParameter(7, notAfter.toEpochMilli())
                        .executeUpdate();
                audit.record(em, Audit.Type.ALLOWANCE_CREATED, fleet, serial.value(), null, operator, reason);
                made.add(new Allowance(
                        Ids.hex(id),
                        fleet,
                        serial.value(),
                        reason,
                        operator,
                        notBefore,
                        notAfter,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()));
            }
            return made;
        });
    }

    /**
     * Lists the allowances of a fleet, the oldest first.
     *
     * @param serial of this serial only; empty for all
     * @param after the last id of the page before
     */
    public List<Allowance> list(String fleet, Optional<String> serial, Optional<String> after, int atMost) {
        IndexRange range = serial.isPresent() ? BY_SERIAL : BY_ID;
        List<String> values = serial.map(text -> List.of(fleet, text)).orElse(List.of(fleet));
        String select = "SELECT " + COLUMNS + " FROM allowance USE INDEX ("
                + (serial.isPresent() ? "allowance_serial" : "allowance_fleet") + ") WHERE " + range.sql();
        byte[] from = after.map(Ids::bytes).orElseGet(() -> new byte[16]);
        return database.forOperators()
                .jdbc(Sql.of(select, range.values(values, from, atMost)).list(Allowances::allowance));
    }

    private static Allowance allowance(ResultSet row) throws SQLException {
        return new Allowance(
                Ids.hex(row.getBytes(1)),
                row.getString(2),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                Instant.ofEpochMilli(row.getLong(6)),
                Instant.ofEpochMilli(row.getLong(7)),
                Optional.ofNullable(row.getString(8)),
                Sql.time(row, 9),
                Sql.time(row, 10),
                Sql.time(row, 11));
    }

    /**
     * Revokes an allowance, and the unused credential that was issued with it. Effective on this node when it returns,
     * on others within two seconds.
     *
     * @throws RegistryException {@code NOT_FOUND} if there is none by this id, {@code CONFLICT} if it is spent or
     *     revoked
     */
    public void revoke(String fleet, String id, String operator) {
        List<String> voided = new ArrayList<>();
        database.transaction(em -> {
            voided.clear();
            String serial = byId(em, fleet, id)
                    .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such allowance"))
                    .serial();
            // Registering with the allowance and using its credential take this lock too. So one of them comes first,
            // and the row read below is current.
            Optional<Device> device = DeviceStore.lock(em, fleet, serial);
            int revoked = em.createNativeQuery("UPDATE allowance SET revoked_at = ? WHERE id = ? AND fleet = ?"
                            + " AND spent_at IS NULL AND revoked_at IS NULL")
                    .setParameter(1, clock.millis())
                    .setParameter(2, Ids.bytes(id))
                    .setParameter(3, fleet)
                    .executeUpdate();
            if (revoked == 0) {
                throw RegistryException.withDetail(ProblemType.CONFLICT, "it is spent or revoked already");
            }
            byId(em, fleet, id)
                    .flatMap(Allowance::givenKey)
                    .map(key -> em.find(StoredCredential.class, key))
                    .filter(given -> given.state() == CredentialState.PROVISIONAL)
                    .ifPresent(given -> {
                        given.revoke();
                        voided.add(given.key());
                    });
            audit.record(
                    em,
                    Audit.Type.ALLOWANCE_REVOKED,
                    fleet,
                    serial,
                    device.map(Device::idBytes).orElse(null),
                    operator,
                    "allowance " + id
                            + voided.stream().map(key -> ", credential " + key).collect(Collectors.joining()));
            changes.note(em, voided);
            return null;
        });
        changes.forget(voided);
    }

    private static Optional<Allowance> byId(EntityManager em, String fleet, String id) {
        List<?> rows = em.createNativeQuery("SELECT " + COLUMNS + " FROM allowance WHERE id = ? AND fleet = ?")
                .setParameter(1, Ids.bytes(id))
                .setParameter(2, fleet)
                .getResultList();
        return rows.stream().findFirst().map(row -> of((Object[]) row));
    }

    /** Returns the allowance with which the serial may register now. One that it has registered with comes first. */
    static Optional<Allowance> open(EntityManager em, String fleet, SerialNumber serial, Instant now) {
        List<?> rows = em.createNativeQuery(
                        "SELECT " + COLUMNS + " FROM allowance WHERE fleet = ? AND serial = ? AND not_after > ?"
                                + " AND spent_at IS NULL AND revoked_at IS NULL ORDER BY id")
                .setParameter(1, fleet)
                .setParameter(2, serial.value())
                .setParameter(3, now.toEpochMilli())
                .getResultList();
        List<Allowance> open = rows.stream()
                .map(row -> of((Object[]) row))
                .filter(allowance -> allowance.permits(now))
                .toList();
        return open.stream()
                .filter(allowance -> allowance.givenKey().isPresent())
                .findFirst()
                .or(() -> open.stream().findFirst());
    }

    private static Allowance of(Object[] row) {
        return new Allowance(
                Ids.hex((byte[]) row[0]),
                (String) row[1],
                (String) row[2],
                (String) row[3],
                (String) row[4],
                instant(row[5]).orElseThrow(),
                instant(row[6]).orElseThrow(),
                Optional.ofNullable((String) row[7]),
                instant(row[8]),
                instant(row[9]),
                instant(row[10]));
    }

    private static Optional<Instant> instant(Object column) {
        return Optional.ofNullable(column).map(millis -> Instant.ofEpochMilli(((Number) millis).longValue()));
    }

    /**
     * Uses the allowance. This is a compare-and-swap: of several registrations with one allowance, one wins.
     *
     * @param key of the credential that is issued with it
     * @return false if another registration used it first, or if it is spent or revoked by now
     */
    static boolean use(EntityManager em, Allowance allowance, String key, Instant now) {
        Query update = em.createNativeQuery("UPDATE allowance SET given_key = ?, given_at = ? WHERE id = ?"
                        + " AND spent_at IS NULL AND revoked_at IS NULL AND "
                        + (allowance.givenKey().isPresent() ? "given_key = ?" : "given_key IS NULL"))
                .setParameter(1, key)
                .setParameter(2, now.toEpochMilli())
                .setParameter(3, Ids.bytes(allowance.id()));
        allowance.givenKey().ifPresent(given -> update.setParameter(4, given));
        return update.executeUpdate() == 1;
    }
}
