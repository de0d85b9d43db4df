package io.muster.registration;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Query;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Permissions by operators for one serial to register once more, within a window. An allowance is used by the registration that
 * needs it, and spent by the first use of any new credential of the device: until then a lost reply may be asked for again.
 * Thread-safe.
 */
public final class Allowances {

    /** The longest window. */
    public static final int MOST_DAYS = 366;

    private static final String COLUMNS =
            "id, fleet, serial, reason, operator, not_before, not_after, given_key, given_at,"
                    + " spent_at, revoked_at";

    /** What becomes of an allowance. */
    public enum State {
        /** Its window has not begun, or it waits for the serial. */
        OPEN,
        /** The serial registered by it, and has not used what it got. */
        GIVEN,
        /** The device used a new credential. */
        SPENT,
        /** An operator took it back. */
        REVOKED,
        /** Its window ended before it was used. */
        EXPIRED
    }

    /**
     * A permission.
     *
     * @param id 32 hex digits
     * @param reason why, for people
     * @param operator by whom
     * @param givenAt when the serial last registered by it
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

        /** Returns what became of it until now. */
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

        /** Tells whether the serial may register by it now. */
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

    /** Keeps them in the database. */
    public Allowances(Database database, Changes changes, Audit audit, Ids ids, Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
    }

    /** Permits each of the serials to register once more within the window: all of them, or none if the database is away. */
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
     * Lists those of a fleet, the oldest first.
     *
     * @param serial of this serial only; empty for all
     * @param after the last id of the page before
     */
    public List<Allowance> list(String fleet, Optional<String> serial, Optional<String> after, int atMost) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement("SELECT " + COLUMNS
                    + " FROM allowance WHERE fleet = ?" + (serial.isPresent() ? " AND serial = ?" : "")
                    + " AND id > ? ORDER BY id LIMIT ?")) {
                int place = 0;
                select.setString(++place, fleet);
                if (serial.isPresent()) {
                    select.setString(++place, serial.get());
                }
                select.setBytes(++place, after.map(Ids::bytes).orElseGet(() -> new byte[16]));
                select.setInt(++place, atMost);
                return read(select);
            }
        });
    }

    private static List<Allowance> read(PreparedStatement select) throws SQLException {
        List<Allowance> found = new ArrayList<>();
        try (ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                found.add(new Allowance(
                        Ids.hex(rows.getBytes(1)),
                        rows.getString(2),
                        rows.getString(3),
                        rows.getString(4),
                        rows.getString(5),
                        Instant.ofEpochMilli(rows.getLong(6)),
                        Instant.ofEpochMilli(rows.getLong(7)),
                        Optional.ofNullable(rows.getString(8)),
                        time(rows, 9),
                        time(rows, 10),
                        time(rows, 11)));
            }
        }
        return found;
    }

    private static Optional<Instant> time(ResultSet row, int column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    /**
     * Takes a permission back, and with it the credential that was given by it, which was not used yet. Effective on this node when
     * it returns, on others within two seconds.
     *
     * @throws RegistryException {@code NOT_FOUND} if there is none by this id, {@code CONFLICT} if it is spent or revoked
     */
    public void revoke(String fleet, String id, String operator) {
        List<String> voided = new ArrayList<>();
        database.transaction(em -> {
            voided.clear();
            String serial = byId(em, fleet, id)
                    .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such allowance"))
                    .serial();
            // The lock that registering by it and using what it gave take too, so one comes first; what it says counts
            // then.
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

    /** Returns the one by which the serial may register now, the one it registered by last if there is one. */
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
     * Uses it: a compare-and-swap, so that of several registrations by one allowance one wins.
     *
     * @param key of the credential that comes of it
     * @return false if somebody else did, or it is spent or revoked by now
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
