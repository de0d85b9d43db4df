package io.muster.verification;

import io.muster.json.Json;
import io.muster.persistence.Database;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The built-in list of serials that may register. Thread-safe. */
public final class ExpectedSerials {

    /** Whether a row admits. Kept as the first letter of its name. */
    enum State {
        EXPECTED,
        BLOCKED
    }

    record Found(ExpectedSerial serial, State state) {}

    // Both databases take this form; the state of a row that is there already stays as it is.
    private static final String PUT = "INSERT INTO expected_serial (fleet, serial, state, name, lot, tags, attributes)"
            + " VALUES (?, ?, 'E', ?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
            + " name = VALUES(name), lot = VALUES(lot), tags = VALUES(tags), attributes = VALUES(attributes)";
    private static final String FIND =
            "SELECT state, name, lot, tags, attributes FROM expected_serial WHERE fleet = ? AND serial = ?";

    private final Database database;
    private final Object importing = new Object();

    /** Keeps the list in the database. */
    public ExpectedSerials(Database database) {
        this.database = database;
    }

    /**
     * Adds rows, or replaces what is known of them, in one transaction. Doing it again changes nothing. One batch at a time and in
     * the order of the index: H2 spins for ever over two transactions that insert the same keys in different orders.
     */
    public void put(String fleet, List<ExpectedSerial> serials) {
        List<ExpectedSerial> ordered = new ArrayList<>(serials);
        ordered.sort(Comparator.comparing(ExpectedSerial::serial));
        synchronized (importing) {
            store(fleet, ordered);
        }
    }

    private void store(String fleet, List<ExpectedSerial> serials) {
        database.sql(connection -> {
            try (PreparedStatement put = connection.prepareStatement(PUT)) {
                for (ExpectedSerial serial : serials) {
                    put.setString(1, fleet);
                    put.setString(2, serial.serial());
                    put.setString(3, serial.name().orElse(null));
                    put.setString(4, serial.lot().orElse(null));
                    put.setString(5, serial.tags().isEmpty() ? null : Json.text(serial.tags()));
                    put.setString(6, serial.attributes().isEmpty() ? null : Json.text(serial.attributes()));
                    put.addBatch();
                }
                return put.executeBatch();
            }
        });
    }

    Optional<Found> find(String fleet, String serial) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(FIND)) {
                select.setString(1, fleet);
                select.setString(2, serial);
                try (ResultSet row = select.executeQuery()) {
                    if (!row.next()) {
                        return Optional.empty();
                    }
                    Map<String, String> tags = new HashMap<>();
                    Json.stored(row.getString(4)).forEach((name, text) -> tags.put(name, String.valueOf(text)));
                    return Optional.of(new Found(
                            new ExpectedSerial(
                                    serial,
                                    Optional.ofNullable(row.getString(2)),
                                    Optional.ofNullable(row.getString(3)),
                                    tags,
                                    Json.stored(row.getString(5))),
                            row.getString(1).equals("E") ? State.EXPECTED : State.BLOCKED));
                }
            }
        });
    }
}
