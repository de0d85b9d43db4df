package io.muster.verification;

import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.spi.Verdict;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The built-in list of serials that may register, and of those that may not: what verifiers ask, and what an import writes.
 * Thread-safe.
 */
public final class ExpectedSerials {

    /**
     * A row.
     *
     * @param blocked why it is blocked, perhaps the empty text; empty if it is not
     * @param lot what is said of its lot; its expected number is not read
     */
    record Found(ExpectedSerial serial, Optional<String> blocked, Optional<Lot> lot) {}

    /**
     * Holds the row of a fleet without a name, which makes it if it is not there, until the transaction ends: whoever writes rows of
     * a fleet does so one at a time, on all nodes. Lots are then counted exactly, and H2 does not spin for ever over two
     * transactions that insert the same keys in different orders.
     */
    static final String ONE_AT_A_TIME = "INSERT INTO lot (fleet, name, paused, imported) VALUES (?, '', FALSE, 0)"
            + " ON DUPLICATE KEY UPDATE paused = FALSE";

    // Both databases take this form; the state of a row that is there already stays as it is.
    private static final String PUT =
            "INSERT INTO expected_serial (fleet, serial, state, listed, name, lot, tags, attributes)"
                    + " VALUES (?, ?, 'E', TRUE, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE listed = TRUE,"
                    + " name = VALUES(name), lot = VALUES(lot), tags = VALUES(tags), attributes = VALUES(attributes)";
    private static final String BLOCK =
            "INSERT INTO expected_serial (fleet, serial, state, listed, reason) VALUES (?, ?, 'B', FALSE, ?)"
                    + " ON DUPLICATE KEY UPDATE state = 'B', reason = COALESCE(VALUES(reason), reason)";
    private static final String FIND = "SELECT e.state, e.reason, e.name, e.lot, e.tags, e.attributes,"
            + " l.not_before, l.not_after, l.paused FROM expected_serial e"
            + " LEFT JOIN lot l ON l.fleet = e.fleet AND l.name = e.lot WHERE e.fleet = ? AND e.serial = ?";
    private static final String FIND_BLOCK =
            "SELECT reason FROM expected_serial WHERE fleet = ? AND serial = ? AND state = 'B'";
    // Few: MariaDB plans a list of pairs in quadratic time.
    private static final int AT_ONCE = 50;

    private final Database database;
    private final Object importing = new Object();

    /** Keeps the list in the database. */
    public ExpectedSerials(Database database) {
        this.database = database;
    }

    /**
     * Lists serials, or replaces what is known of them, and blocks others, in one transaction. Doing it again changes nothing. What
     * is blocked stays blocked; a blocked serial that was not in the list gets a row that only blocks.
     *
     * @return why a listed serial was left out, by its place in the list: its lot has as many serials as it expects
     */
    public Map<Integer, String> put(String fleet, List<ExpectedSerial> listed, List<BlockedSerial> blocked) {
        // One connection of this node waits for the others' imports, not one for each import.
        synchronized (importing) {
            return database.sql(connection -> {
                try (PreparedStatement lock = connection.prepareStatement(ONE_AT_A_TIME)) {
                    lock.setString(1, fleet);
                    lock.executeUpdate();
                }
                Map<Integer, String> leftOut = list(connection, fleet, listed);
                block(connection, fleet, blocked);
                return leftOut;
            });
        }
    }

    private static Map<Integer, String> list(Connection connection, String fleet, List<ExpectedSerial> serials)
            throws SQLException {
        Map<String, Room> rooms = rooms(
                connection,
                fleet,
                serials.stream().flatMap(serial -> serial.lot().stream()).collect(Collectors.toSet()));
        Map<String, Optional<String>> lots = lots(connection, fleet, serials);
        Map<Integer, String> leftOut = new HashMap<>();
        List<ExpectedSerial> fitting = new ArrayList<>();
        for (int i = 0; i < serials.size(); i++) {
            ExpectedSerial serial = serials.get(i);
            Optional<String> before = lots.getOrDefault(serial.serial(), Optional.empty());
            if (!before.equals(serial.lot())) {
                Optional<Room> room = serial.lot().map(rooms::get);
                if (room.isPresent() && room.get().isFull()) {
                    leftOut.put(
                            i,
                            "lot " + serial.lot().get() + " expects "
                                    + room.get().expected.get() + " serials and has them");
                    continue;
                }
                room.ifPresent(to -> to.change++);
                before.ifPresent(lot -> rooms.computeIfAbsent(lot, other -> new Room(Optional.empty(), 0)).change--);
            }
            lots.put(serial.serial(), serial.lot());
            fitting.add(serial);
        }
        store(connection, fleet, fitting);
        count(connection, fleet, rooms);
        return leftOut;
    }

    /** How many serials a lot may have and has. */
    private static final class Room {

        private final Optional<Integer> expected;
        private final long imported;
        private long change;

        Room(Optional<Integer> expected, long imported) {
            this.expected = expected;
            this.imported = imported;
        }

        boolean isFull() {
            return expected.isPresent() && imported + change >= expected.get();
        }
    }

    /** Returns the lots, which are made if they are not there. */
    private static Map<String, Room> rooms(Connection connection, String fleet, Set<String> names) throws SQLException {
        Map<String, Room> rooms = new TreeMap<>();
        for (List<String> some : portions(names)) {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT name, expected, imported FROM lot WHERE (fleet, name) IN (" + places(some) + ")")) {
                bind(select, fleet, some);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        rooms.put(
                                rows.getString(1),
                                new Room(Optional.ofNullable(rows.getObject(2, Integer.class)), rows.getLong(3)));
                    }
                }
            }
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO lot (fleet, name, paused, imported) VALUES (?, ?, FALSE, 0)")) {
            boolean any = false;
            for (String name : names) {
                if (rooms.putIfAbsent(name, new Room(Optional.empty(), 0)) == null) {
                    insert.setString(1, fleet);
                    insert.setString(2, name);
                    insert.addBatch();
                    any = true;
                }
            }
            if (any) {
                insert.executeBatch();
            }
        }
        return rooms;
    }

    /** Returns the lots of those that are in the list already and have one, by serial. */
    private static Map<String, Optional<String>> lots(Connection connection, String fleet, List<ExpectedSerial> serials)
            throws SQLException {
        Map<String, Optional<String>> lots = new HashMap<>();
        for (List<String> some :
                portions(serials.stream().map(ExpectedSerial::serial).collect(Collectors.toSet()))) {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT serial, lot FROM expected_serial WHERE (fleet, serial) IN (" + places(some) + ")")) {
                bind(select, fleet, some);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        lots.put(rows.getString(1), Optional.ofNullable(rows.getString(2)));
                    }
                }
            }
        }
        return lots;
    }

    private static List<List<String>> portions(Set<String> names) {
        List<String> sorted = names.stream().sorted().toList();
        List<List<String>> portions = new ArrayList<>();
        for (int from = 0; from < sorted.size(); from += AT_ONCE) {
            portions.add(sorted.subList(from, Math.min(from + AT_ONCE, sorted.size())));
        }
        return portions;
    }

    // In pairs: with the fleet apart, H2 reads all of it.
    private static String places(List<String> names) {
        return String.join(",", names.stream().map(name -> "(?,?)").toList());
    }

    private static void bind(PreparedStatement select, String fleet, List<String> names) throws SQLException {
        int place = 0;
        for (String name : names) {
            select.setString(++place, fleet);
            select.setString(++place, name);
        }
    }

    private static void store(Connection connection, String fleet, List<ExpectedSerial> serials) throws SQLException {
        if (serials.isEmpty()) {
            return;
        }
        List<ExpectedSerial> ordered = new ArrayList<>(serials);
        ordered.sort(Comparator.comparing(ExpectedSerial::serial));
        try (PreparedStatement put = connection.prepareStatement(PUT)) {
            for (ExpectedSerial serial : ordered) {
                put.setString(1, fleet);
                put.setString(2, serial.serial());
                put.setString(3, serial.name().orElse(null));
                put.setString(4, serial.lot().orElse(null));
                put.setString(5, serial.tags().isEmpty() ? null : Json.text(serial.tags()));
                put.setString(6, serial.attributes().isEmpty() ? null : Json.text(serial.attributes()));
                put.addBatch();
            }
            put.executeBatch();
        }
    }

    private static void count(Connection connection, String fleet, Map<String, Room> rooms) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE lot SET imported = imported + ? WHERE fleet = ? AND name = ?")) {
            boolean any = false;
            for (Map.Entry<String, Room> room : rooms.entrySet()) {
                if (room.getValue().change != 0) {
                    update.setLong(1, room.getValue().change);
                    update.setString(2, fleet);
                    update.setString(3, room.getKey());
                    update.addBatch();
                    any = true;
                }
            }
            if (any) {
                update.executeBatch();
            }
        }
    }

    private static void block(Connection connection, String fleet, List<BlockedSerial> serials) throws SQLException {
        if (serials.isEmpty()) {
            return;
        }
        List<BlockedSerial> ordered = new ArrayList<>(serials);
        ordered.sort(Comparator.comparing(BlockedSerial::serial));
        try (PreparedStatement block = connection.prepareStatement(BLOCK)) {
            for (BlockedSerial serial : ordered) {
                block.setString(1, fleet);
                block.setString(2, serial.serial());
                if (serial.reason().isPresent()) {
                    block.setString(3, serial.reason().get());
                } else {
                    block.setNull(3, Types.VARCHAR);
                }
                block.addBatch();
            }
            block.executeBatch();
        }
    }

    /** Returns the row with what its lot says, in one query. */
    Optional<Found> find(String fleet, String serial) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(FIND)) {
                select.setString(1, fleet);
                select.setString(2, serial);
                try (ResultSet row = select.executeQuery()) {
                    return row.next() ? Optional.of(found(serial, row)) : Optional.empty();
                }
            }
        });
    }

    private static Found found(String serial, ResultSet row) throws SQLException {
        Optional<String> reason = Optional.ofNullable(row.getString(2));
        Optional<String> lot = Optional.ofNullable(row.getString(4));
        Optional<Instant> notBefore = instant(row, 7);
        Optional<Instant> notAfter = instant(row, 8);
        boolean paused = row.getBoolean(9);
        return new Found(
                new ExpectedSerial(
                        serial,
                        Optional.ofNullable(row.getString(3)),
                        lot,
                        tags(row.getString(5)),
                        Json.stored(row.getString(6))),
                // Anything but the one letter that admits is a block.
                row.getString(1).equals("E") ? Optional.empty() : Optional.of(reason.orElse("")),
                lot.map(name -> new Lot(name, Optional.empty(), notBefore, notAfter, paused)));
    }

    static Optional<Instant> instant(ResultSet row, int column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    static Map<String, String> tags(String stored) {
        Map<String, String> tags = new TreeMap<>();
        Json.stored(stored).forEach((name, text) -> tags.put(name, String.valueOf(text)));
        return tags;
    }

    /** Returns why a serial is blocked, perhaps the empty text; empty if it is not. */
    Optional<String> block(String fleet, String serial) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(FIND_BLOCK)) {
                select.setString(1, fleet);
                select.setString(2, serial);
                try (ResultSet row = select.executeQuery()) {
                    return row.next()
                            ? Optional.of(Optional.ofNullable(row.getString(1)).orElse(""))
                            : Optional.empty();
                }
            }
        });
    }

    /** Refuses for the reason of a block, perhaps the empty text. */
    static Verdict blocked(String reason) {
        return Verdict.refused(reason.isEmpty() ? "the serial is blocked" : "the serial is blocked: " + reason);
    }
}
