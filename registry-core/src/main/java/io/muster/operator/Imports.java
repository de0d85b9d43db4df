// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The record of every import, from its start. The node that reads an import reports periodically that it still does. If
 * these reports stop, another node records that the import was interrupted. Thread-safe.
 */
@Part
public final class Imports {

    /** How often a node reports what it is reading, and looks for imports that nobody reads any more. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    // Far more than the difference between the clocks of nodes.
    private static final Duration SILENCE = Duration.ofMinutes(2);
    private static final Logger LOG = LoggerFactory.getLogger(Imports.class);
    private static final String ROWS = "SELECT id, operator, state, started_at, ended_at, rows_read, accepted, rejected"
            + " FROM serial_import WHERE fleet = ? AND id ";

    /** The states of an import. */
    public enum State {
        /** It is being read. */
        RUNNING,
        /** It was read to its end. */
        COMPLETE,
        /** Reading stopped before the end, at something that could not be read. */
        STOPPED,
        /** It ended before it was complete: the client disconnected. */
        CUT_OFF,
        /** The node that read it did not end it. */
        INTERRUPTED;

        /** Returns the word for the wire. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        private String letter() {
            return this == CUT_OFF ? "X" : name().substring(0, 1);
        }

        private static State of(String letter) {
            return Stream.of(values())
                    .filter(state -> state.letter().equals(letter))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /**
     * How many rows an import had so far.
     *
     * @param read rows read
     * @param accepted rows stored
     * @param rejected rows left out
     */
    public record Counts(long read, long accepted, long rejected) {

        static final Counts NONE = new Counts(0, 0, 0);
    }

    /** An import; it has ended unless it is running. */
    public record Entry(
            String id, String operator, State state, Instant startedAt, Optional<Instant> endedAt, Counts counts) {}

    private final Database database;
    private final Audit audit;
    private final Ids ids;
    private final Clock clock;
    private final Set<String> reading = ConcurrentHashMap.newKeySet();

    /** Keeps the record in the database. */
    @Inject
    public Imports(Database database, Audit audit, Ids ids, @Ours Clock clock) {
        this.database = database;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
    }

    /** Records that this node begins to read an import, and returns its id. */
    String begin(String fleet, String operator) {
        byte[] id = ids.next();
        long now = clock.millis();
        database.transaction(em -> {
            em.createNativeQuery(
                            "INSERT INTO serial_import (id, fleet, operator, state, started_at, seen_at, rows_read,"
                                    + " accepted, rejected) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0)")
                    .setParameter(1, id)
                    .setParameter(2, fleet)
                    .setParameter(3, operator)
                    .setParameter(4, State.RUNNING.letter())
                    .setParameter(5, now)
                    .setParameter(6, now)
                    .executeUpdate();
            audit.record(em, Audit.Type.SERIALS_IMPORT_STARTED, fleet, null, null, operator, "import " + Ids.hex(id));
            return null;
        });
        reading.add(Ids.hex(id));
        return Ids.hex(id);
    }

    /** Records how far an import is, in the transaction that stores its rows. */
    void progress(Connection connection, String id, Counts counts) throws SQLException {
        Sql.of(
                        "UPDATE serial_import SET seen_at = ?, rows_read = ?, accepted = ?, rejected = ? WHERE id = ?",
                        clock.millis(),
                        counts.read(),
                        counts.accepted(),
                        counts.rejected(),
                        Ids.bytes(id))
                .update()
                .in(connection);
    }

    /** Records the end of an import. */
    void end(String id, String fleet, String operator, State state, Counts counts, String detail) {
        database.transaction(em -> {
            em.createNativeQuery("UPDATE serial_import SET state = ?, ended_at = ?, rows_read = ?, accepted = ?,"
                            + " rejected = ? WHERE id = ?")
                    .setParameter(1, state.letter())
                    .setParameter(2, clock.millis())
                    .setParameter(3, counts.read())
                    .setParameter(4, counts.accepted())
                    .setParameter(5, counts.rejected())
                    .setParameter(6, Ids.bytes(id))
                    .executeUpdate();
            audit.record(em, Audit.Type.SERIALS_IMPORTED, fleet, null, null, operator, detail);
            return null;
        });
        reading.remove(id);
    }

    /** Records that this node gave an import up. If its database is unreachable, another node records it later. */
    void giveUp(String id) {
        reading.remove(id);
        try {
            interrupt(id, clock.millis() + 1);
        } catch (DatabaseUnavailableException e) {
            LOG.debug("An import that is given up cannot be recorded now", e);
        }
    }

    /** Reports which imports this node reads, and records those that nobody reads any more. Never throws. */
    public void tend() {
        try {
            long now = clock.millis();
            for (String id : reading) {
                database.jdbc(Sql.of("UPDATE serial_import SET seen_at = ? WHERE id = ?", now, Ids.bytes(id))
                        .update());
            }
            long silentSince = now - SILENCE.toMillis();
            silent(silentSince).forEach(id -> interrupt(id, silentSince));
        } catch (RuntimeException e) {
            LOG.debug("Imports cannot be tended now", e);
        }
    }

    private List<String> silent(long since) {
        return database.jdbc(
                Sql.of("SELECT id FROM serial_import WHERE state = ? AND seen_at < ?", State.RUNNING.letter(), since)
                        .list(row -> Ids.hex(row.getBytes(1))));
    }

    private void interrupt(String id, long silentSince) {
        database.transaction(em -> {
            // If several nodes find it, one records it.
            int changed = em.createNativeQuery(
                            "UPDATE serial_import SET state = ?, ended_at = seen_at WHERE id = ? AND state = ? AND seen_at < ?")
                    .setParameter(1, State.INTERRUPTED.letter())
                    .setParameter(2, Ids.bytes(id))
                    .setParameter(3, State.RUNNING.letter())
                    .setParameter(4, silentSince)
                    .executeUpdate();
            if (changed == 1) {
                Object[] row = (Object[]) em.createNativeQuery(
                                "SELECT fleet, operator, accepted, rejected FROM serial_import WHERE id = ?")
                        .setParameter(1, Ids.bytes(id))
                        .getSingleResult();
                audit.record(
                        em,
                        Audit.Type.SERIALS_IMPORT_INTERRUPTED,
                        String.valueOf(row[0]),
                        null,
                        null,
                        String.valueOf(row[1]),
                        "import " + id + ": " + row[2] + " accepted, " + row[3] + " rejected so far");
            }
            return null;
        });
    }

    /** Lists the imports of a fleet, the newest first, those before the given one. */
    public List<Entry> list(String fleet, Optional<String> before, int atMost) {
        return select(ROWS + "< ? ORDER BY id DESC LIMIT " + atMost, fleet, before.orElse("f".repeat(32)));
    }

    /** Returns an import of a fleet, or empty if there is none of this id. */
    public Optional<Entry> find(String fleet, String id) {
        return select(ROWS + "= ?", fleet, id).stream().findFirst();
    }

    private List<Entry> select(String sql, String fleet, String id) {
        return database.forOperators().jdbc(Sql.of(sql, fleet, Ids.bytes(id)).list(Imports::entry));
    }

    private static Entry entry(ResultSet row) throws SQLException {
        return new Entry(
                Ids.hex(row.getBytes(1)),
                row.getString(2),
                State.of(row.getString(3)),
                Instant.ofEpochMilli(row.getLong(4)),
                Sql.time(row, 5),
                new Counts(row.getLong(6), row.getLong(7), row.getLong(8)));
    }
}
