package io.muster.verification;

import io.muster.audit.Audit;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import jakarta.persistence.EntityManager;
import java.sql.PreparedStatement;
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

/** The list of serials as operators see and change it: looks up, pages, blocks and unblocks. Thread-safe. */
public final class SerialList {

    /** How many rows one page looks at, at most, however few of them it is asked for. */
    private static final int MAX_EXAMINED = 10_000;

    private static final int STEP = 1000;
    private static final String ROWS =
            "SELECT e.serial, e.state, e.listed, e.name, e.lot, e.tags, e.attributes, e.reason,"
                    + " d.id FROM expected_serial e LEFT JOIN device d ON d.fleet = e.fleet AND d.serial = e.serial"
                    + " WHERE e.fleet = ?";

    /** What can be said of a serial in the list. */
    public enum State {
        /** It may register; no device has. */
        EXPECTED,
        /** A device has. */
        REGISTERED,
        /** It may not register, whether a device had or not. */
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
     * @param reason why it is blocked, if that was said
     * @param deviceId the id of the device that registered with the serial, if one did
     */
    public record Entry(
            ExpectedSerial serial, State state, boolean listed, Optional<String> reason, Optional<String> deviceId) {}

    /**
     * Which rows to list.
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

    /** Works on the database and records who changed what. */
    public SerialList(Database database, Audit audit) {
        this.database = database;
        this.audit = audit;
    }

    /** Returns the row of a serial, or empty if it is not in the list. */
    public Optional<Entry> find(String fleet, String serial) {
        return select(ROWS + " AND e.serial = ?", List.of(fleet, serial)).stream()
                .findFirst();
    }

    /**
     * Lists. Looks at a bounded number of rows: a page may have fewer than it was asked for, or none, and still a next.
     *
     * @param after the next of the page before; empty for the first page
     */
    public Page list(String fleet, Filter filter, Optional<String> after, int atMost) {
        StringBuilder where = new StringBuilder(ROWS);
        List<String> values = new ArrayList<>(List.of(fleet));
        // Each an index with the serial at its end; what the index does not tell is looked at here.
        if (filter.lot().isPresent()) {
            where.append(" AND e.lot = ?");
            values.add(filter.lot().get());
        } else if (filter.state().isPresent()) {
            where.append(" AND e.state = ?");
            values.add(filter.state().get() == State.BLOCKED ? "B" : "E");
        }
        boolean all = filter.state().isEmpty();
        int step = all ? atMost : Math.max(atMost, STEP);
        where.append(" AND e.serial > ? ORDER BY e.serial LIMIT ").append(step);
        List<Entry> found = new ArrayList<>();
        String from = after.orElse("");
        for (int examined = 0; examined < MAX_EXAMINED; examined += step) {
            List<Entry> some = select(where.toString(), with(values, from));
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

    private static List<String> with(List<String> values, String last) {
        List<String> all = new ArrayList<>(values);
        all.add(last);
        return all;
    }

    private List<Entry> select(String sql, List<String> values) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(sql)) {
                for (int i = 0; i < values.size(); i++) {
                    select.setString(i + 1, values.get(i));
                }
                List<Entry> entries = new ArrayList<>();
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        entries.add(entry(rows));
                    }
                }
                return entries;
            }
        });
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
     * Keeps serials from registering, whether they are in the list or not; effective on every node when it returns. A device that
     * has registered keeps what it has.
     *
     * @param reason empty leaves the reason of an earlier block as it is
     * @return how many were not blocked before, or for another reason
     */
    public int block(String fleet, List<String> serials, Optional<String> reason, String operator) {
        return database.transaction(em -> {
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
     * Ends blocks. A serial that was in the list is expected again; a row that only blocked goes.
     *
     * @return how many were blocked
     */
    public int unblock(String fleet, List<String> serials, String operator) {
        return database.transaction(em -> {
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
