// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.audit.AuditEvent;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Finds the records that no seal has. Each statement is a range of one index and reads a bounded number of rows, however
 * many records there are.
 *
 * <p>Most are behind the head, in the order of their times. A record whose transaction was committed late, or whose
 * node's clock is slow, appears before the head. So the newest records before the head are looked at each time, and all
 * others by and by.
 */
final class Unsealed {

    /** How many new records of each kind a seal takes. */
    static final int NEW = 2000;
    /** How many of the newest sealed records of each kind are looked at for one that came late. */
    static final int NEAR = 2000;
    /** How many of all sealed records of each kind are looked at in addition. */
    static final int WALK = 4000;

    private static final byte[] FIRST = new byte[16];

    private static final String NEW_EVENTS =
            "SELECT " + AuditEvent.COLUMNS + " FROM audit_event WHERE id > ? AND id < ? ORDER BY id LIMIT ?";
    private static final String EVENT = "SELECT " + AuditEvent.COLUMNS + " FROM audit_event WHERE id = ?";
    private static final String OLD_EVENTS =
            "SELECT e.id, s.seal FROM audit_event e LEFT JOIN sealed_event s ON s.id = e.id"
                    + " WHERE e.id > ? AND e.id <= ? ORDER BY e.id ";

    private static final String ADMISSIONS = "SELECT c.access_key, c.device_id, c.created_at, c.origin, d.serial"
            + " FROM credential c %s LEFT JOIN device d ON d.id = c.device_id WHERE ";
    private static final String NEW_ADMISSIONS = String.format(ADMISSIONS, "USE INDEX (credential_created)")
            + "c.created_at >= ? AND (c.created_at > ? OR c.access_key > ?) AND c.created_at < ?"
            + " ORDER BY c.created_at, c.access_key LIMIT ?";
    private static final String ADMISSION = String.format(ADMISSIONS, "") + "c.access_key = ?";
    private static final String OLD_ADMISSIONS = "SELECT c.created_at, c.access_key, s.seal"
            + " FROM credential c USE INDEX (credential_created)"
            + " LEFT JOIN sealed_admission s ON s.access_key = c.access_key"
            + " WHERE c.created_at >= ? AND (c.created_at > ? OR c.access_key > ?)"
            + " AND c.created_at <= ? AND (c.created_at < ? OR c.access_key <= ?) ORDER BY c.created_at ";

    /** A place in the order of admissions. */
    record Place(long at, String key) {
        static final Place FIRST = new Place(0, "");
    }

    /**
     * How far the record is sealed.
     *
     * @param lock changes with every change of this
     * @param to the end of the last seal
     */
    record Head(
            long lock,
            long seals,
            Instant to,
            Instant checkedAt,
            byte[] event,
            Place admission,
            byte[] walkEvent,
            Place walk) {

        static Database.SqlWork<Head> read() {
            return connection -> Sql.of("SELECT times_locked, seals, time_to, checked_at, event_id, admission_at,"
                            + " admission_key, walk_id, walk_at, walk_key FROM seal_head WHERE id = 1")
                    .first(row -> new Head(
                            row.getLong(1),
                            row.getLong(2),
                            Instant.ofEpochMilli(row.getLong(3)),
                            Instant.ofEpochMilli(row.getLong(4)),
                            row.getBytes(5),
                            new Place(row.getLong(6), row.getString(7)),
                            row.getBytes(8),
                            new Place(row.getLong(9), row.getString(10))))
                    .in(connection)
                    .orElseThrow(() -> new IllegalStateException("the row of seal_head is gone"));
        }
    }

    /**
     * The records of the next seal.
     *
     * @param entries in the order of their times
     * @param next the head afterwards
     * @param more whether there is more to seal
     */
    record Found(List<Entry> entries, Head next, boolean more) {}

    /** A page of something: its entries, and where the next one begins. */
    private record Page<T>(List<Entry> entries, T next) {}

    private Unsealed() {}

    /**
     * Finds what the next seal closes.
     *
     * @param end records of later times are left for later seals
     */
    static Found find(Connection connection, Head head, Instant end) throws SQLException {
        List<Entry> events = Sql.of(NEW_EVENTS, head.event(), first(end), NEW)
                .list(row -> Entry.of(AuditEvent.of(row)))
                .in(connection);
        List<Entry> admissions = Sql.of(
                        NEW_ADMISSIONS,
                        head.admission().at(),
                        head.admission().at(),
                        head.admission().key(),
                        end,
                        NEW)
                .list(Unsealed::admission)
                .in(connection);
        boolean more = events.size() == NEW || admissions.size() == NEW;
        List<Entry> all = new ArrayList<>(events);
        all.addAll(admissions);
        Page<byte[]> lateEvents = new Page<>(List.of(), head.walkEvent());
        Page<Place> lateAdmissions = new Page<>(List.of(), head.walk());
        if (!more) {
            // Late ones can wait while there is a backlog.
            lateEvents = lateEvents(connection, head);
            lateAdmissions = lateAdmissions(connection, head);
            all.addAll(lateEvents.entries());
            all.addAll(lateAdmissions.entries());
        }
        all.sort(Comparator.comparing(Entry::at).thenComparing(Entry::id));
        Head next = new Head(
                head.lock(),
                head.seals(),
                to(head, end, List.of(events, admissions)),
                head.checkedAt(),
                events.size() == NEW ? id(events.get(NEW - 1)) : later(head.event(), first(end)),
                admissions.size() == NEW ? place(admissions.get(NEW - 1)) : later(head.admission(), end),
                lateEvents.next(),
                lateAdmissions.next());
        return new Found(all, next, more);
    }

    /** Returns the end of a seal: of a list that may go on, the time of its last entry. */
    private static Instant to(Head head, Instant end, List<List<Entry>> lists) {
        Instant to = end;
        for (List<Entry> list : lists) {
            if (list.size() == NEW && list.get(NEW - 1).at().isBefore(to)) {
                to = list.get(NEW - 1).at();
            }
        }
        return to.isBefore(head.to()) ? head.to() : to;
    }

    private static byte[] later(byte[] one, byte[] other) {
        return Arrays.compareUnsigned(one, other) < 0 ? other : one;
    }

    private static Place later(Place one, Instant end) {
        return one.at() < end.toEpochMilli() ? new Place(end.toEpochMilli(), "") : one;
    }

    private static Page<byte[]> lateEvents(Connection connection, Head head) throws SQLException {
        List<String> late = new ArrayList<>();
        Sql.of(OLD_EVENTS + "DESC LIMIT " + NEAR, FIRST, head.event())
                .forEach(row -> addIfUnsealed(Ids.hex(row.getBytes(1)), Sql.number(row, 2), late))
                .in(connection);
        List<byte[]> walked = Sql.of(OLD_EVENTS + "LIMIT " + WALK, head.walkEvent(), head.event())
                .list(row -> {
                    byte[] id = row.getBytes(1);
                    addIfUnsealed(Ids.hex(id), Sql.number(row, 2), late);
                    return id;
                })
                .in(connection);
        List<Entry> entries = new ArrayList<>();
        for (String id : late.stream().distinct().toList()) {
            Sql.of(EVENT, Ids.bytes(id))
                    .forEach(row -> entries.add(Entry.of(AuditEvent.of(row))))
                    .in(connection);
        }
        return new Page<>(entries, walked.size() == WALK ? walked.get(WALK - 1) : FIRST);
    }

    private static void addIfUnsealed(String id, Optional<Long> seal, List<String> late) {
        if (seal.isEmpty()) {
            late.add(id);
        }
    }

    private static Page<Place> lateAdmissions(Connection connection, Head head) throws SQLException {
        List<String> late = new ArrayList<>();
        old(connection, Place.FIRST, head.admission(), "DESC, c.access_key DESC LIMIT " + NEAR, late);
        List<Place> walked = old(connection, head.walk(), head.admission(), ", c.access_key LIMIT " + WALK, late);
        List<Entry> entries = new ArrayList<>();
        for (String key : late.stream().distinct().toList()) {
            Sql.of(ADMISSION, key).forEach(row -> entries.add(admission(row))).in(connection);
        }
        return new Page<>(entries, walked.size() == WALK ? walked.get(WALK - 1) : Place.FIRST);
    }

    private static List<Place> old(Connection connection, Place after, Place end, String order, List<String> late)
            throws SQLException {
        return Sql.of(OLD_ADMISSIONS + order, after.at(), after.at(), after.key(), end.at(), end.at(), end.key())
                .list(row -> {
                    addIfUnsealed(row.getString(2), Sql.number(row, 3), late);
                    return new Place(row.getLong(1), row.getString(2));
                })
                .in(connection);
    }

    private static Entry admission(ResultSet row) throws SQLException {
        return Entry.admission(
                row.getString(1),
                row.getBytes(2),
                Instant.ofEpochMilli(row.getLong(3)),
                row.getString(4),
                row.getString(5));
    }

    private static Place place(Entry admission) {
        return new Place(admission.at().toEpochMilli(), admission.id());
    }

    private static byte[] id(Entry event) {
        return Ids.bytes(event.id());
    }

    /** Returns the smallest id of a time. */
    private static byte[] first(Instant time) {
        return ByteBuffer.allocate(16).putLong(time.toEpochMilli() << 16).array();
    }
}
