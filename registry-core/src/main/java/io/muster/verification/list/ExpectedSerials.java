// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.cdi.Part;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.persistence.RowLock;
import io.muster.persistence.Sql;
import io.muster.spi.Verdict;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The built-in list of serials that may register, and of those that may not. Verifiers read it and imports write it.
 * Thread-safe.
 */
@Part
public final class ExpectedSerials {

    /**
     * A row.
     *
     * @param blocked why it is blocked, perhaps the empty text; empty if it is not
     * @param lot the settings of its lot; the expected number is not read
     */
    record StoredSerial(ExpectedSerial serial, Optional<String> blocked, Optional<Lot> lot) {}

    /**
     * Locks the fleet's nameless lot row, creating it if absent, until the transaction ends. So only one writer at a
     * time, on all nodes together, changes the serials of a fleet. Lots are then counted exactly. Without the lock, H2
     * spins for ever when two transactions insert the same keys in different orders.
     */
    static final String ONE_AT_A_TIME =
            "INSERT INTO lot (fleet, name, paused, imported) VALUES (?, '', FALSE, 0)" + RowLock.OR_LOCK;

    /**
     * A serial that was to be listed and was left out.
     *
     * @param place its place in the given list, from 0
     * @param reason why
     */
    public record LeftOut(int place, String reason) {}

    /** A further write in the same transaction. */
    @FunctionalInterface
    public interface Beside {
        /**
         * Writes before anything else, and says what is to be left out.
         *
         * @return the reasons, by the place of the listed serial
         */
        default Map<Integer, String> before(Connection connection) throws SQLException {
            return Map.of();
        }

        /**
         * Writes afterwards.
         *
         * @param leftOut as of {@link #put}
         */
        void write(Connection connection, List<LeftOut> leftOut) throws SQLException;
    }

    // Both databases accept this form. The state of an existing row stays as it is.
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
    // Small: MariaDB needs quadratic time to plan a list of pairs.
    private static final int AT_ONCE = 50;

    private final Database database;
    private final Object importing = new Object();

    /** Keeps the list in the database. */
    @Inject
    public ExpectedSerials(Database database) {
        this.database = database;
    }

    /**
     * Lists serials, or replaces what is known of them, and blocks others, in one transaction. Doing it again changes
     * nothing. A blocked serial stays blocked. One that was not in the list gets a row that only blocks.
     *
     * @param beside a further write in the transaction
     * @return the listed serials that were left out, in order, because their lots have as many serials as they expect,
     *     or for the reasons of the further write
     */
    public List<LeftOut> put(String fleet, List<ExpectedSerial> listed, List<BlockedSerial> blocked, Beside beside) {
        // One connection of this node, not one for each import, waits for the imports of the other nodes.
        synchronized (importing) {
            return database.jdbcTransaction(connection -> {
                Sql.of(ONE_AT_A_TIME, fleet).update().in(connection);
                List<LeftOut> leftOut = insertListed(connection, fleet, listed, beside.before(connection));
                block(connection, fleet, blocked);
                beside.write(connection, leftOut);
                return leftOut;
            });
        }
    }

    private static List<LeftOut> insertListed(
            Connection connection, String fleet, List<ExpectedSerial> serials, Map<Integer, String> faulty)
            throws SQLException {
        Map<String, Capacity> capacities = capacities(
                connection,
                fleet,
                serials.stream().flatMap(serial -> serial.lot().stream()).collect(Collectors.toSet()));
        Map<String, Optional<String>> lotsBySerial = lotsBySerial(connection, fleet, serials);
        List<LeftOut> leftOut = new ArrayList<>();
        List<ExpectedSerial> fitting = new ArrayList<>();
        for (int i = 0; i < serials.size(); i++) {
            if (faulty.containsKey(i)) {
                leftOut.add(new LeftOut(i, faulty.get(i)));
                continue;
            }
            ExpectedSerial serial = serials.get(i);
            Optional<String> before = lotsBySerial.getOrDefault(serial.serial(), Optional.empty());
            if (!before.equals(serial.lot())) {
                Optional<Capacity> capacity = serial.lot().map(capacities::get);
                if (capacity.isPresent() && capacity.get().isFull()) {
                    leftOut.add(new LeftOut(
                            i,
                            "lot " + serial.lot().get() + " expects "
                                    + capacity.get().expected.get() + " serials and has them"));
                    continue;
                }
                capacity.ifPresent(to -> to.change++);
                before.ifPresent(
                        lot -> capacities.computeIfAbsent(lot, other -> new Capacity(Optional.empty(), 0)).change--);
            }
            lotsBySerial.put(serial.serial(), serial.lot());
            fitting.add(serial);
        }
        store(connection, fleet, fitting);
        count(connection, fleet, capacities);
        return leftOut;
    }

    /** How many serials a lot may have, and how many it has. */
    private static final class Capacity {

        private final Optional<Integer> expected;
        private final long imported;
        private long change;

        Capacity(Optional<Integer> expected, long imported) {
            this.expected = expected;
            this.imported = imported;
        }

        boolean isFull() {
            return expected.isPresent() && imported + change >= expected.get();
        }
    }

    /** Returns the lots, and creates those that are missing. */
    private static Map<String, Capacity> capacities(Connection connection, String fleet, Set<String> names)
            throws SQLException {
        Map<String, Capacity> capacities = new TreeMap<>();
        for (List<String> batch : batches(names)) {
            each("SELECT name, expected, imported FROM lot WHERE fleet = ? AND name = ?", fleet, batch)
                    .forEach(row -> capacities.put(
                            row.getString(1),
                            new Capacity(Optional.ofNullable(row.getObject(2, Integer.class)), row.getLong(3))))
                    .in(connection);
        }
        List<String> missing =
                names.stream().filter(name -> !capacities.containsKey(name)).toList();
        Sql.batch("INSERT INTO lot (fleet, name, paused, imported) VALUES (?, ?, FALSE, 0)", missing, name ->
                        new Object[] {fleet, name})
                .in(connection);
        missing.forEach(name -> capacities.put(name, new Capacity(Optional.empty(), 0)));
        return capacities;
    }

    /** Returns the present lot of each of these serials that is in the list, by serial. */
    private static Map<String, Optional<String>> lotsBySerial(
            Connection connection, String fleet, List<ExpectedSerial> serials) throws SQLException {
        Map<String, Optional<String>> lotsBySerial = new HashMap<>();
        for (List<String> batch :
                batches(serials.stream().map(ExpectedSerial::serial).collect(Collectors.toSet()))) {
            each("SELECT serial, lot FROM expected_serial WHERE fleet = ? AND serial = ?", fleet, batch)
                    .forEach(row -> lotsBySerial.put(row.getString(1), Optional.ofNullable(row.getString(2))))
                    .in(connection);
        }
        return lotsBySerial;
    }

    private static List<List<String>> batches(Set<String> names) {
        List<String> sorted = names.stream().sorted().toList();
        List<List<String>> batches = new ArrayList<>();
        for (int from = 0; from < sorted.size(); from += AT_ONCE) {
            batches.add(sorted.subList(from, Math.min(from + AT_ONCE, sorted.size())));
        }
        return batches;
    }

    /** Looks up each name by itself: given a list of names, H2 reads all rows of the table. */
    private static Sql each(String select, String fleet, List<String> names) {
        return Sql.of(
                String.join(" UNION ALL ", Collections.nCopies(names.size(), select)),
                names.stream().flatMap(name -> Stream.of(fleet, name)).toList());
    }

    private static void store(Connection connection, String fleet, List<ExpectedSerial> serials) throws SQLException {
        List<ExpectedSerial> ordered = new ArrayList<>(serials);
        ordered.sort(Comparator.comparing(ExpectedSerial::serial));
        Sql.batch(PUT, ordered, serial -> new Object[] {
                    fleet,
                    serial.serial(),
                    serial.name().orElse(null),
                    serial.lot().orElse(null),
                    serial.tags().isEmpty() ? null : Json.text(serial.tags()),
                    serial.attributes().isEmpty() ? null : Json.text(serial.attributes())
                })
                .in(connection);
    }

    private static void count(Connection connection, String fleet, Map<String, Capacity> capacities)
            throws SQLException {
        Sql.batch(
                        "UPDATE lot SET imported = imported + ? WHERE fleet = ? AND name = ?",
                        capacities.entrySet().stream()
                                .filter(capacity -> capacity.getValue().change != 0)
                                .toList(),
                        capacity -> new Object[] {capacity.getValue().change, fleet, capacity.getKey()})
                .in(connection);
    }

    private static void block(Connection connection, String fleet, List<BlockedSerial> serials) throws SQLException {
        List<BlockedSerial> ordered = new ArrayList<>(serials);
        ordered.sort(Comparator.comparing(BlockedSerial::serial));
        Sql.batch(BLOCK, ordered, serial ->
                        new Object[] {fleet, serial.serial(), serial.reason().orElse(null)})
                .in(connection);
    }

    /** Tells whether there is a row of an expected or a blocked serial. */
    public boolean has(String fleet, String serial) {
        return find(fleet, serial).isPresent();
    }

    /** Returns the row with the settings of its lot, in one query. */
    Optional<StoredSerial> find(String fleet, String serial) {
        return database.found(() -> database.jdbc(Sql.of(FIND, fleet, serial).first(row -> found(serial, row))));
    }

    private static StoredSerial found(String serial, ResultSet row) throws SQLException {
        Optional<String> reason = Optional.ofNullable(row.getString(2));
        Optional<String> lot = Optional.ofNullable(row.getString(4));
        Optional<Instant> notBefore = Sql.time(row, 7);
        Optional<Instant> notAfter = Sql.time(row, 8);
        boolean paused = row.getBoolean(9);
        return new StoredSerial(
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

    static Map<String, String> tags(String stored) {
        Map<String, String> tags = new TreeMap<>();
        Json.stored(stored).forEach((name, text) -> tags.put(name, String.valueOf(text)));
        return tags;
    }

    /** Returns why a serial is blocked, perhaps the empty text; empty if it is not. */
    Optional<String> block(String fleet, String serial) {
        return database.jdbc(Sql.of(FIND_BLOCK, fleet, serial)
                .first(row -> Optional.ofNullable(row.getString(1)).orElse("")));
    }

    /** Makes the refusal of a blocked serial; the reason may be empty. */
    static Verdict blocked(String reason) {
        return Verdict.refused(reason.isEmpty() ? "the serial is blocked" : "the serial is blocked: " + reason);
    }
}
