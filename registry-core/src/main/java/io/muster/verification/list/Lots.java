// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.IndexRange;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Query;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Lots of expected serials: how many serials each may have, when they may register, and whether they are paused.
 * Thread-safe.
 */
@Part
public final class Lots {

    /** How many serials of a lot are counted, at most. */
    public static final int MAX_COUNTED = 50_000;

    // As many as MariaDB keeps in memory while it looks up their devices.
    private static final int STEP = 10_000;

    private static final String ROWS = "SELECT name, expected, not_before, not_after, paused, imported FROM lot WHERE ";
    private static final IndexRange BY_NAME = IndexRange.of("fleet", "name");
    private static final IndexRange BY_LOT = IndexRange.of("e.fleet", "e.lot", "e.serial");
    private static final String SERIALS =
            " FROM expected_serial e USE INDEX (expected_serial_lot) WHERE " + BY_LOT.sql() + ") s";
    private static final String COUNT = "SELECT COUNT(*) FROM (SELECT e.state" + SERIALS;
    private static final String PROGRESS =
            "SELECT COUNT(*), COUNT(d.id), SUM(CASE WHEN s.state = 'B' THEN 1 ELSE 0 END),"
                    + " MAX(s.serial) FROM (SELECT e.serial, e.state" + SERIALS
                    + " LEFT JOIN device d ON d.fleet = ? AND d.serial = s.serial";

    /**
     * A lot, and the present number of its serials.
     *
     * @param imported how many serials of the list are in it
     */
    public record Entry(Lot lot, long imported) {}

    /**
     * The progress of a lot.
     *
     * @param counted how many of its serials were counted, the first in their order
     * @param registered how many of these are devices
     * @param blocked how many of these are blocked, whether devices or not
     */
    public record Progress(long counted, long registered, long blocked) {

        /** Tells whether the lot has, or may have, more serials than were counted. */
        public boolean isPart() {
            return counted == MAX_COUNTED;
        }

        private Progress and(Progress more) {
            return new Progress(counted + more.counted, registered + more.registered, blocked + more.blocked);
        }
    }

    private final Database database;
    private final Audit audit;

    /** Works on the database, and records who made each change. */
    @Inject
    public Lots(Database database, Audit audit) {
        this.database = database;
        this.audit = audit;
    }

    /** Lists lots by name, those after the given one. */
    public List<Entry> list(String fleet, Optional<String> after, int atMost) {
        // The row without a name is no lot.
        List<Object> page = BY_NAME.values(List.of(fleet), after.orElse(""), atMost);
        return database.forOperators().jdbc(Sql.of(ROWS + BY_NAME.sql(), page).list(Lots::entry));
    }

    /** Returns the lot; empty if it never had a serial and nobody wrote it. */
    public Optional<Entry> find(String fleet, String name) {
        if (name.isEmpty()) {
            return Optional.empty();
        }
        return database.jdbc(
                Sql.of(ROWS + "fleet = ? AND name = ?", fleet, name).first(Lots::entry));
    }

    private static Entry entry(ResultSet row) throws SQLException {
        return new Entry(
                new Lot(
                        row.getString(1),
                        Optional.ofNullable(row.getObject(2, Integer.class)),
                        Sql.time(row, 3),
                        Sql.time(row, 4),
                        row.getBoolean(5)),
                row.getLong(6));
    }

    /** Counts the progress of a lot over {@link #MAX_COUNTED} of its serials at most: exactly, unless it has more. */
    public Progress progress(String fleet, String name) {
        return database.forOperators().jdbc(connection -> {
            Progress all = new Progress(0, 0, 0);
            String from = "";
            while (all.counted() < MAX_COUNTED) {
                Step step = step(connection, fleet, name, from);
                all = all.and(step.progress());
                if (step.progress().counted() < STEP) {
                    return all;
                }
                from = step.last();
            }
            return all;
        });
    }

    /** The progress of the next of a lot's serials, and the last of these; null if there is none. */
    private record Step(Progress progress, String last) {}

    private static Step step(Connection connection, String fleet, String name, String from) throws SQLException {
        List<Object> parameters = BY_LOT.values(List.of(fleet, name), from, STEP);
        parameters.add(fleet);
        return Sql.of(PROGRESS, parameters)
                .first(row -> new Step(new Progress(row.getLong(1), row.getLong(2), row.getLong(3)), row.getString(4)))
                .in(connection)
                .orElseThrow();
    }

    /**
     * Returns how many serials the lot has. If there are not too many, they are counted again. That corrects a number
     * that a node of a version without lots made wrong.
     */
    private static long imported(EntityManager em, String fleet, String name) {
        Query count = em.createNativeQuery(COUNT);
        int place = 0;
        for (Object value : BY_LOT.values(List.of(fleet, name), "", MAX_COUNTED)) {
            count.setParameter(++place, value);
        }
        long counted = ((Number) count.getSingleResult()).longValue();
        if (counted < MAX_COUNTED) {
            return counted;
        }
        List<?> kept = em.createNativeQuery("SELECT imported FROM lot WHERE fleet = ? AND name = ?")
                .setParameter(1, fleet)
                .setParameter(2, name)
                .getResultList();
        return kept.isEmpty() ? counted : Math.max(counted, ((Number) kept.get(0)).longValue());
    }

    /**
     * Writes a whole lot. Effective on every node when it returns.
     *
     * @throws RegistryException {@code CONFLICT} if it has more serials than it is to expect
     */
    public Entry put(String fleet, Lot lot, String operator) {
        return database.forOperators().change(em -> {
            em.createNativeQuery(ExpectedSerials.ONE_AT_A_TIME)
                    .setParameter(1, fleet)
                    .executeUpdate();
            long imported = imported(em, fleet, lot.name());
            if (lot.expected().isPresent() && lot.expected().get() < imported) {
                throw RegistryException.withDetail(
                        ProblemType.CONFLICT,
                        "the lot has " + imported + " serials and cannot expect "
                                + lot.expected().get());
            }
            String before = Database.within(
                            em,
                            Sql.of(ROWS + "fleet = ? AND name = ?", fleet, lot.name())
                                    .first(Lots::entry))
                    .map(entry -> "; before: " + inWords(entry.lot()))
                    .orElse("");
            write(em, fleet, lot, imported);
            audit.record(em, Audit.Type.LOT_WRITTEN, fleet, null, null, operator, inWords(lot) + before);
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
