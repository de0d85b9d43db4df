// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Part;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.RowLock;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The list of serials as operators see and change it: look up, page, block and unblock. Thread-safe. */
@Part
public final class SerialList {

    private static final SecureRandom RANDOM = new SecureRandom();

    /** How many rows one page examines at most, even if it finds few or none. */
    private static final int MAX_EXAMINED = 10_000;

    /** How many rows a page with a state reads at once. */
    public static final int STEP = 1000;

    private static final String COLUMNS =
            "SELECT e.serial, e.state, e.listed, e.name, e.lot, e.tags, e.attributes, e.reason, d.id FROM expected_serial e";
    private static final String DEVICE = " LEFT JOIN device d ON d.fleet = e.fleet AND d.serial = e.serial WHERE ";
    private static final IndexRange BY_SERIAL = IndexRange.of("e.fleet", "e.serial");
    private static final IndexRange BY_LOT = IndexRange.of("e.fleet", "e.lot", "e.serial");
    private static final IndexRange BY_STATE = IndexRange.of("e.fleet", "e.state", "e.serial");
    private static final String OF_FLEET = COLUMNS + DEVICE + BY_SERIAL.sql();
    private static final String OF_LOT = COLUMNS + " USE INDEX (expected_serial_lot)" + DEVICE + BY_LOT.sql();
    private static final String OF_STATE = COLUMNS + " USE INDEX (expected_serial_state)" + DEVICE + BY_STATE.sql();
    private static final String ONE = COLUMNS + DEVICE + "e.fleet = ? AND e.serial = ?";

    /** The states of a serial in the list. */
    public enum State {
        /** It may register; no device has registered with it. */
        EXPECTED,
        /** A device has registered with it. */
        REGISTERED,
        /** It may not register, whether or not a device registered with it before. */
        BLOCKED;

        /** Returns the name in lower case, as the wire has it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Returns the state of a word, or empty if there is none. */
        public static Optional<State> of(String word) {
            return Stream.of(values())
                    .filter(state -> state.word().equals(word))
                    .findFirst();
        }
    }

    /**
     * A row.
     *
     * @param listed false if it only blocks
     * @param reason why it is blocked, if a reason was given
     * @param deviceId the id of the device that registered with the serial, if any
     */
    public record Entry(
            ExpectedSerial serial, State state, boolean listed, Optional<String> reason, Optional<String> deviceId) {}

    /**
     * The rows to list.
     *
     * @param state the state, or empty for any
     * @param lot the lot, or empty for any
     */
    public record Filter(Optional<State> state, Optional<String> lot) {}

    /**
     * Some rows, in the order of their serials.
     *
     * @param next where the next page begins; empty if there is none
     */
    public record Page(List<Entry> entries, Optional<String> next) {}

    private final Database database;
    private final Audit audit;

    /** Works on the database, and records who made each change. */
    @Inject
    public SerialList(Database database, Audit audit) {
        this.database = database;
        this.audit = audit;
    }

    /** Returns the row of a serial, or empty if it is not in the list. */
    public Optional<Entry> find(String fleet, String serial) {
        return database.jdbc(Sql.of(ONE, fleet, serial).first(SerialList::entry));
    }

    /**
     * Lists rows. Examines a bounded number of them: a page may have fewer rows than requested, or none, and still have
     * a next.
     *
     * @param after the next of the page before; empty for the first page
     */
    public Page list(String fleet, Filter filter, Optional<String> after, int atMost) {
        return database.forOperators().jdbc(connection -> list(connection, fleet, filter, after.orElse(""), atMost));
    }

    private static Page list(Connection connection, String fleet, Filter filter, String after, int atMost)
            throws SQLException {
        // Each of these is an index that ends with the serial. Conditions that the index does not cover are checked
        // here.
        String sql = OF_FLEET;
        IndexRange range = BY_SERIAL;
        List<String> values = List.of(fleet);
        if (filter.lot().isPresent()) {
            sql = OF_LOT;
            range = BY_LOT;
            values = List.of(fleet, filter.lot().get());
        } else if (filter.state().isPresent()) {
            sql = OF_STATE;
            range = BY_STATE;
            values = List.of(fleet, filter.state().get() == State.BLOCKED ? "B" : "E");
        }
        boolean all = filter.state().isEmpty();
        int step = all ? atMost : Math.max(atMost, STEP);
        List<Entry> found = new ArrayList<>();
        String from = after;
        for (int examined = 0; examined < MAX_EXAMINED; examined += step) {
            List<Entry> some = Sql.of(sql, range.values(values, from, step))
                    .list(SerialList::entry)
                    .in(connection);
            for (Entry entry : some) {
                from = entry.serial().serial();
                if (all || entry.state() == filter.state().get()) {
                    found.add(entry);
                    if (found.size() == atMost) {
                        return new Page(found, Optional.of(from));
                    }
                }
            }
            if (some.size() < step) {
                return new Page(found, Optional.empty());
            }
        }
        return new Page(found, Optional.of(from));
    }

    private static Entry entry(ResultSet row) throws SQLException {
        Map<String, String> tags = ExpectedSerials.tags(row.getString(6));
        Optional<String> device = Optional.ofNullable(row.getBytes(9)).map(Ids::hex);
        State state;
        if (!row.getString(2).equals("E")) {
            state = State.BLOCKED;
        } else {
            state = device.isPresent() ? State.REGISTERED : State.EXPECTED;
        }
        return new Entry(
                new ExpectedSerial(
                        row.getString(1),
                        Optional.ofNullable(row.getString(4)),
                        Optional.ofNullable(row.getString(5)),
                        tags,
                        Json.stored(row.getString(7))),
                state,
                row.getBoolean(3),
                Optional.ofNullable(row.getString(8)),
                device);
    }

    /**
     * Blocks serials, whether they are in the list or not. Effective on every node when it returns. A device that has
     * registered keeps its credentials.
     *
     * @param reason empty leaves the reason of an earlier block as it is
     * @return how many were not blocked before, or for another reason
     */
    public int block(String fleet, List<String> serials, Optional<String> reason, String operator) {
        return database.forOperators().change(em -> {
            lock(em, fleet);
            int changed = 0;
            for (String serial : new TreeSet<>(serials)) {
                if (block(em, fleet, new BlockedSerial(serial, reason))) {
                    audit.record(em, Audit.Type.SERIAL_BLOCKED, fleet, serial, null, operator, reason.orElse(null));
                    changed++;
                }
            }
            return changed;
        });
    }

    private static boolean block(EntityManager em, String fleet, BlockedSerial blocked) {
        Optional<Object[]> row = row(em, fleet, blocked.serial());
        String before = row.map(columns -> (String) columns[1]).orElse(null);
        String reason = blocked.reason().orElse(before);
        if (row.isEmpty()) {
            em.createNativeQuery(
                            "INSERT INTO expected_serial (fleet, serial, state, listed, reason) VALUES (?, ?, 'B', FALSE, ?)")
                    .setParameter(1, fleet)
                    .setParameter(2, blocked.serial())
                    .setParameter(3, reason)
                    .executeUpdate();
            return true;
        }
        if (isBlocked(row.get()) && Objects.equals(before, reason)) {
            return false;
        }
        em.createNativeQuery("UPDATE expected_serial SET state = 'B', reason = ? WHERE fleet = ? AND serial = ?")
                .setParameter(1, reason)
                .setParameter(2, fleet)
                .setParameter(3, blocked.serial())
                .executeUpdate();
        return true;
    }

    /**
     * Ends blocks. A serial that was in the list is expected again; a row that only blocked is deleted.
     *
     * @return how many were blocked
     */
    public int unblock(String fleet, List<String> serials, String operator) {
        return database.forOperators().change(em -> {
            lock(em, fleet);
            int changed = 0;
            for (String serial : new TreeSet<>(serials)) {
                if (row(em, fleet, serial).filter(SerialList::isBlocked).isPresent()) {
                    unblock(em, fleet, serial);
                    audit.record(em, Audit.Type.SERIAL_UNBLOCKED, fleet, serial, null, operator, null);
                    changed++;
                }
            }
            return changed;
        });
    }

    private static void unblock(EntityManager em, String fleet, String serial) {
        int gone = em.createNativeQuery("DELETE FROM expected_serial WHERE fleet = ? AND serial = ? AND NOT listed")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .executeUpdate();
        if (gone == 0) {
            em.createNativeQuery("UPDATE expected_serial SET state = 'E', reason = NULL WHERE fleet = ? AND serial = ?")
                    .setParameter(1, fleet)
                    .setParameter(2, serial)
                    .executeUpdate();
        }
    }

    /**
     * Removes serials from the list, all or none. Effective on every node when it returns. A block stays, as a row that
     * only blocks.
     *
     * @return how many were listed
     * @throws RegistryException {@code CONFLICT} if one of them is a device, or belongs to somebody
     */
    public int remove(String fleet, List<String> serials, String operator) {
        return database.transaction(em -> {
            lock(em, fleet);
            int removed = 0;
            for (String serial : new TreeSet<>(serials)) {
                if (remove(em, fleet, serial)) {
                    audit.record(em, Audit.Type.SERIAL_REMOVED, fleet, serial, null, operator, null);
                    removed++;
                }
            }
            return removed;
        });
    }

    private static boolean remove(EntityManager em, String fleet, String serial) {
        List<?> listed = em.createNativeQuery(
                        "SELECT lot, state FROM expected_serial WHERE fleet = ? AND serial = ? AND listed")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .getResultList();
        if (listed.isEmpty()) {
            return false;
        }
        boolean device = !em.createNativeQuery("SELECT 1 FROM device WHERE fleet = ? AND serial = ?")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .getResultList()
                .isEmpty();
        if (device) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT,
                    "the serial " + serial + " is a device; disable or retire the device, or block the serial");
        }
        requireUnowned(em, fleet, serial);
        Object[] row = (Object[]) listed.get(0);
        String change = String.valueOf(row[1]).equals("E")
                ? "DELETE FROM expected_serial"
                : "UPDATE expected_serial SET listed = FALSE, name = NULL, lot = NULL, tags = NULL, attributes = NULL";
        em.createNativeQuery(change + " WHERE fleet = ? AND serial = ?")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .executeUpdate();
        // Nobody may claim, or own, what is not expected any more. A void code of a factory stays void, even if the
        // serial is imported again.
        for (String rows : List.of("owned_serial WHERE provider IS NULL AND", "claim_code WHERE kind <> 'V' AND")) {
            em.createNativeQuery("DELETE FROM " + rows + " fleet = ? AND serial = ?")
                    .setParameter(1, fleet)
                    .setParameter(2, serial)
                    .executeUpdate();
        }
        if (row[0] != null) {
            em.createNativeQuery("UPDATE lot SET imported = imported - 1 WHERE fleet = ? AND name = ?")
                    .setParameter(1, fleet)
                    .setParameter(2, row[0])
                    .executeUpdate();
        }
        return true;
    }

    /** Waits for a claim that is under way, and checks that nobody owns the serial. A row that this makes is deleted later. */
    private static void requireUnowned(EntityManager em, String fleet, String serial) {
        byte[] id = new byte[16];
        RANDOM.nextBytes(id);
        em.createNativeQuery("INSERT INTO owned_serial (id, fleet, serial) VALUES (?, ?, ?)" + RowLock.OR_LOCK)
                .setParameter(1, id)
                .setParameter(2, fleet)
                .setParameter(3, serial)
                .executeUpdate();
        boolean owned = !em.createNativeQuery(
                        "SELECT 1 FROM owned_serial WHERE fleet = ? AND serial = ? AND provider IS NOT NULL")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .getResultList()
                .isEmpty();
        if (owned) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT,
                    "the serial " + serial + " belongs to somebody; release it first, or block the serial");
        }
    }

    private static void lock(EntityManager em, String fleet) {
        em.createNativeQuery(ExpectedSerials.ONE_AT_A_TIME)
                .setParameter(1, fleet)
                .executeUpdate();
    }

    private static Optional<Object[]> row(EntityManager em, String fleet, String serial) {
        List<?> rows = em.createNativeQuery("SELECT state, reason FROM expected_serial WHERE fleet = ? AND serial = ?")
                .setParameter(1, fleet)
                .setParameter(2, serial)
                .getResultList();
        return rows.isEmpty() ? Optional.empty() : Optional.of((Object[]) rows.get(0));
    }

    private static boolean isBlocked(Object[] row) {
        return !String.valueOf(row[0]).equals("E");
    }
}
