package io.muster.verification;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import jakarta.persistence.EntityManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Lots of expected serials: how many there may be, when they may register, and whether they may now. Thread-safe. */
public final class Lots {

    private static final String ROWS =
            "SELECT name, expected, not_before, not_after, paused, imported FROM lot WHERE fleet = ? AND name ";
    private static final String COUNT = "SELECT COUNT(*) FROM expected_serial e";
    private static final String OF_LOT = " WHERE e.fleet = ? AND e.lot = ?";

    /**
     * A lot as it stands.
     *
     * @param imported how many serials of the list are in it
     */
    public record Entry(Lot lot, long imported) {}

    /**
     * How far a lot is.
     *
     * @param registered how many of its serials are devices
     * @param blocked how many are blocked, whether devices or not
     */
    public record Progress(long registered, long blocked) {}

    private final Database database;
    private final Audit audit;

    /** Works on the database and records who changed what. */
    public Lots(Database database, Audit audit) {
        this.database = database;
        this.audit = audit;
    }

    /** Lists lots by name, those after the given one. */
    public List<Entry> list(String fleet, Optional<String> after, int atMost) {
        // The row without a name is no lot.
        return select(ROWS + "> ? ORDER BY name LIMIT " + atMost, fleet, after.orElse(""));
    }

    /** Returns the lot; empty if no serial was ever in it and nobody wrote it. */
    public Optional<Entry> find(String fleet, String name) {
        return name.isEmpty()
                ? Optional.empty()
                : select(ROWS + "= ?", fleet, name).stream().findFirst();
    }

    private List<Entry> select(String sql, String fleet, String name) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(sql)) {
                select.setString(1, fleet);
                select.setString(2, name);
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
        return new Entry(
                new Lot(
                        row.getString(1),
                        Optional.ofNullable(row.getObject(2, Integer.class)),
                        ExpectedSerials.instant(row, 3),
                        ExpectedSerials.instant(row, 4),
                        row.getBoolean(5)),
                row.getLong(6));
    }

    /** Counts a lot's serials by its index; takes the longer the larger it is. */
    public Progress progress(String fleet, String name) {
        return new Progress(
                count(COUNT + " JOIN device d ON d.fleet = e.fleet AND d.serial = e.serial" + OF_LOT, fleet, name),
                count(COUNT + OF_LOT + " AND e.state = 'B'", fleet, name));
    }

    private long count(String sql, String fleet, String name) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(sql)) {
                select.setString(1, fleet);
                select.setString(2, name);
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    return row.getLong(1);
                }
            }
        });
    }

    /**
     * Writes a lot, whole; effective on every node when it returns. Its serials are counted anew.
     *
     * @throws RegistryException {@code CONFLICT} if it has more serials than it is to expect
     */
    public Entry put(String fleet, Lot lot, String operator) {
        return database.transaction(em -> {
            em.createNativeQuery(ExpectedSerials.ONE_AT_A_TIME)
                    .setParameter(1, fleet)
                    .executeUpdate();
            long imported = ((Number) em.createNativeQuery(COUNT + OF_LOT)
                            .setParameter(1, fleet)
                            .setParameter(2, lot.name())
                            .getSingleResult())
                    .longValue();
            if (lot.expected().isPresent() && lot.expected().get() < imported) {
                throw RegistryException.withDetail(
                        ProblemType.CONFLICT,
                        "the lot has " + imported + " serials and cannot expect "
                                + lot.expected().get());
            }
            write(em, fleet, lot, imported);
            audit.record(em, Audit.Type.LOT_WRITTEN, fleet, null, null, operator, inWords(lot));
            return new Entry(lot, imported);
        });
    }

    private static void write(EntityManager em, String fleet, Lot lot, long imported) {
        em.createNativeQuery("INSERT INTO lot (fleet, name, expected, not_before, not_after, paused, imported)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE expected = VALUES(expected),"
                        + " not_before = VALUES(not_before), not_after = VALUES(not_after), paused = VALUES(paused),"
                        + " imported = VALUES(imported)")
                .setParameter(1, fleet)
                .setParameter(2, lot.name())
                .setParameter(3, lot.expected().orElse(null))
                .setParameter(4, lot.notBefore().map(Instant::toEpochMilli).orElse(null))
                .setParameter(5, lot.notAfter().map(Instant::toEpochMilli).orElse(null))
                .setParameter(6, lot.paused())
                .setParameter(7, imported)
                .executeUpdate();
    }

    private static String inWords(Lot lot) {
        return lot.name()
                + lot.expected().map(number -> ", expects " + number).orElse("")
                + lot.notBefore().map(at -> ", not before " + at).orElse("")
                + lot.notAfter().map(at -> ", not after " + at).orElse("")
                + (lot.paused() ? ", paused" : "");
    }
}
