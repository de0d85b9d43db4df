// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.audit.AuditEvent;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.seal.MerkleTree;
import io.muster.seal.Seal;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads seals and what they closed. Records are read from where they are, and not from a copy. So every change there
 * shows. Thread-safe.
 */
@Part
public final class SealedRecords {

    /** How many records {@link #page} returns at most. */
    public static final int PAGE = 500;

    private static final HexFormat HEX = HexFormat.of();
    private static final int HEX_ID = 32;

    private static final String SEALS = "SELECT number, records, root, previous, time_from, time_to, sealed_at, kid,"
            + " signature FROM seal WHERE ";
    private static final String EVENTS = "SELECT s.place, s.digest, " + AuditEvent.COLUMNS.replaceAll("(\\w+)", "e.$1")
            + " FROM sealed_event s JOIN audit_event e ON e.id = s.id"
            + " WHERE s.seal = ? AND s.place >= ? AND s.place < ?";
    private static final String ADMISSIONS = "SELECT s.place, s.digest, s.access_key, s.device_id, s.issued_at,"
            + " c.device_id, c.created_at, c.origin, d.serial FROM sealed_admission s"
            + " LEFT JOIN credential c ON c.access_key = s.access_key"
            + " LEFT JOIN device d ON d.id = COALESCE(c.device_id, s.device_id)"
            + " WHERE s.seal = ? AND s.place >= ? AND s.place < ?";

    private final Database database;
    private final SealKeys keys;

    /**
     * The hash of a record in a seal.
     *
     * @param id the record's
     */
    private record Leaf(int place, String id, byte[] hash) {}

    /** A record in a seal. */
    private record Placed(int place, byte[] digest, Entry entry) {}

    @Inject
    SealedRecords(Database database, SealKeys keys) {
        this.database = database;
        this.keys = keys;
    }

    static Optional<Seal> seal(Connection connection, long number) throws SQLException {
        return Sql.of(SEALS + "number = ?", number).first(SealedRecords::seal).in(connection);
    }

    private static Seal seal(ResultSet row) throws SQLException {
        return new Seal(
                row.getLong(1),
                row.getInt(2),
                row.getBytes(3),
                row.getBytes(4),
                Instant.ofEpochMilli(row.getLong(5)),
                Instant.ofEpochMilli(row.getLong(6)),
                Instant.ofEpochMilli(row.getLong(7)),
                row.getString(8),
                row.getBytes(9));
    }

    /** Returns a seal. */
    public Optional<Seal> seal(long number) {
        return database.forOperators().jdbc(connection -> seal(connection, number));
    }

    /** Lists seals before this number, the newest first. */
    public List<Seal> before(long number, int atMost) {
        return database.forOperators()
                .jdbc(Sql.of(SEALS + "number < ? ORDER BY number DESC LIMIT ?", number, atMost)
                        .list(SealedRecords::seal));
    }

    /** Returns the first seal from this number on. */
    public Optional<Seal> next(long number) {
        return database.forOperators()
                .jdbc(Sql.of(SEALS + "number >= ? ORDER BY number LIMIT 1", number)
                        .first(SealedRecords::seal));
    }

    /**
     * Returns the line of a seal in an export: the seal, and the id and hash of each of its records in their order. A
     * hash stays when its record goes.
     */
    public Map<String, Object> line(Seal seal) {
        // Somebody may have deleted some: the others keep their places.
        List<Object> leaves = new ArrayList<>(Collections.nCopies(seal.records(), null));
        leaves(seal).stream()
                .filter(leaf -> leaf.place() < leaves.size())
                .forEach(leaf -> leaves.set(leaf.place(), Map.of("id", leaf.id(), "hash", HEX.formatHex(leaf.hash()))));
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("seal", seal.members());
        line.put("leaves", leaves);
        return line;
    }

    private List<Leaf> leaves(Seal seal) {
        return database.forOperators().jdbc(connection -> {
            List<Leaf> leaves = new ArrayList<>(
                    Sql.of("SELECT place, id, hash FROM sealed_event WHERE seal = ? ORDER BY place", seal.number())
                            .list(row -> new Leaf(row.getInt(1), Ids.hex(row.getBytes(2)), row.getBytes(3)))
                            .in(connection));
            leaves.addAll(Sql.of(
                            "SELECT place, access_key, hash FROM sealed_admission WHERE seal = ? ORDER BY place",
                            seal.number())
                    .list(row -> new Leaf(row.getInt(1), row.getString(2), row.getBytes(3)))
                    .in(connection));
            leaves.sort(Comparator.comparingInt(Leaf::place));
            return leaves;
        });
    }

    /** Returns the lines of {@value #PAGE} records of a seal at most, from this position on. Records that are gone have none. */
    public List<Map<String, Object>> page(Seal seal, int from) {
        return lines(seal, from, from + PAGE);
    }

    private List<Map<String, Object>> lines(Seal seal, int from, int end) {
        return database.forOperators().jdbc(connection -> {
            List<Placed> records = new ArrayList<>(Sql.of(EVENTS, seal.number(), from, end)
                    .list(row -> new Placed(row.getInt(1), row.getBytes(2), Entry.of(AuditEvent.of(row, 3))))
                    .in(connection));
            records.addAll(Sql.of(ADMISSIONS, seal.number(), from, end)
                    .list(SealedRecords::admission)
                    .in(connection));
            records.sort(Comparator.comparingInt(Placed::place));
            Optional<byte[]> saltKey = keys.saltKey(connection, seal.kid());
            return records.stream().map(record -> line(seal, record, saltKey)).toList();
        });
    }

    /** Reads an admission. If its credential was deleted, the registry still knows all but the address. */
    private static Placed admission(ResultSet row) throws SQLException {
        boolean there = row.getBytes(6) != null;
        Entry entry = Entry.admission(
                row.getString(3),
                row.getBytes(there ? 6 : 4),
                Instant.ofEpochMilli(row.getLong(there ? 7 : 5)),
                there ? row.getString(8) : "",
                row.getString(9));
        return new Placed(row.getInt(1), row.getBytes(2), entry);
    }

    private static Map<String, Object> line(Seal seal, Placed placed, Optional<byte[]> saltKey) {
        Entry entry = placed.entry();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("inSeal", seal.number());
        line.put("position", placed.place());
        if (entry.at().isBefore(seal.from())) {
            line.put("late", true);
        }
        line.put("record", entry.members());
        if (entry.personal().isPresent() && saltKey.isPresent()) {
            line.put("personal", entry.personal().get());
            line.put("salt", HEX.formatHex(SealKeys.salt(saltKey.get(), entry.id())));
        } else {
            line.put("personalDigest", HEX.formatHex(placed.digest()));
        }
        return line;
    }

    /**
     * Returns the proof that a record is in a seal: its line, the seal, and the path of hashes to the root.
     *
     * @param id of an event, or the access key of an admission
     * @return empty if there is no such record, or no seal has it yet
     */
    public Optional<Map<String, Object>> receipt(String id) {
        return place(id).flatMap(found -> seal(found[0]).flatMap(seal -> receipt(seal, (int) found[1])));
    }

    private Optional<long[]> place(String id) {
        return database.forOperators().jdbc(connection -> {
            Optional<long[]> event = id.matches("[0-9a-f]{" + HEX_ID + "}")
                    ? Sql.of("SELECT seal, place FROM sealed_event WHERE id = ?", Ids.bytes(id))
                            .first(row -> new long[] {row.getLong(1), row.getLong(2)})
                            .in(connection)
                    : Optional.empty();
            return event.isPresent()
                    ? event
                    : Sql.of("SELECT seal, place FROM sealed_admission WHERE access_key = ?", id)
                            .first(row -> new long[] {row.getLong(1), row.getLong(2)})
                            .in(connection);
        });
    }

    private Optional<Map<String, Object>> receipt(Seal seal, int place) {
        List<byte[]> hashes = leaves(seal).stream().map(Leaf::hash).toList();
        return lines(seal, place, place + 1).stream().findFirst().map(line -> {
            Map<String, Object> receipt = new LinkedHashMap<>(line);
            receipt.put("seal", seal.members());
            receipt.put(
                    "path",
                    MerkleTree.path(hashes, place).stream().map(HEX::formatHex).toList());
            return receipt;
        });
    }
}
