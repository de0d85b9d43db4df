// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import io.muster.audit.AuditEvent;
import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.once.UsedOnce;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import jakarta.inject.Inject;
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
import java.util.stream.Stream;

/**
 * Everything that is known to have happened to a device, from the first refusal of its serial to its last use of a
 * credential. Decisions are read from the record, by device and by serial. Admissions and uses are read from the
 * credentials, which are their record. Thread-safe.
 */
@Part
public final class Timeline {

    // Each of these is a range of an index that ends with the id.
    private static final String OF_DEVICE = "SELECT " + AuditEvent.COLUMNS
            + " FROM audit_event USE INDEX (audit_event_device) WHERE device_id >= ? AND device_id <= ? AND id < ?"
            + " ORDER BY device_id DESC, id DESC LIMIT ?";
    private static final String OF_SERIAL = "SELECT " + AuditEvent.COLUMNS
            + " FROM audit_event USE INDEX (audit_event_serial) WHERE fleet >= ? AND fleet <= ? AND serial >= ?"
            + " AND serial <= ? AND id < ? ORDER BY fleet DESC, serial DESC, id DESC LIMIT ?";
    private static final String CREDENTIALS =
            "SELECT access_key, origin, created_at, confirmed_at, last_used_at FROM credential WHERE device_id = ?";

    /**
     * Something that happened.
     *
     * @param id 32 hex digits that begin with the time; unique among those of a device
     * @param type a word of the record, or {@code registered}, {@code credential-confirmed}, {@code credential-used}
     * @param who an operator, a user or an address; empty if that is not known
     * @param key the credential, of the types that a credential records
     */
    public record Entry(
            String id, Instant at, String type, Optional<String> who, Optional<String> detail, Optional<String> key) {}

    private final Database database;

    @Inject
    Timeline(Database database) {
        this.database = database;
    }

    /**
     * Lists what happened to a device, the newest first. Reads no more rows than twice the page has, and those of its
     * credentials.
     *
     * @param before the last id of the page before
     */
    public List<Entry> list(Device device, Optional<String> before, int atMost) {
        byte[] from = before.map(Ids::bytes).orElseGet(Timeline::last);
        String end = before.orElseGet(() -> Ids.hex(last()));
        return database.forOperators().jdbc(connection -> Stream.concat(
                        recorded(connection, device, from, atMost).stream(), credentials(connection, device).stream())
                .filter(entry -> entry.id().compareTo(end) < 0)
                .sorted(Comparator.comparing(Entry::id).reversed())
                .distinct()
                .limit(atMost)
                .toList());
    }

    private static byte[] last() {
        byte[] id = new byte[16];
        Arrays.fill(id, (byte) 0xff);
        return id;
    }

    private static List<Entry> recorded(Connection connection, Device device, byte[] before, int atMost)
            throws SQLException {
        List<Entry> entries = new ArrayList<>(Sql.of(OF_DEVICE, device.idBytes(), device.idBytes(), before, atMost)
                .list(Timeline::entry)
                .in(connection));
        String serial = device.serial().value();
        entries.addAll(Sql.of(OF_SERIAL, device.fleet(), device.fleet(), serial, serial, before, atMost)
                .list(Timeline::entry)
                .in(connection));
        return entries;
    }

    private static Entry entry(ResultSet row) throws SQLException {
        AuditEvent event = AuditEvent.of(row);
        return new Entry(
                event.id(),
                event.at(),
                event.type(),
                Optional.of(event.who()),
                Optional.ofNullable(event.detail()),
                Optional.empty());
    }

    private static List<Entry> credentials(Connection connection, Device device) throws SQLException {
        List<Entry> entries = new ArrayList<>();
        Sql.of(CREDENTIALS, device.idBytes())
                .forEach(row -> {
                    String key = row.getString(1);
                    Optional<String> origin = Optional.of(row.getString(2)).filter(address -> !address.isEmpty());
                    add(entries, "registered", Sql.time(row, 3), origin, key);
                    add(entries, "credential-confirmed", Sql.time(row, 4), Optional.empty(), key);
                    add(entries, "credential-used", Sql.time(row, 5), Optional.empty(), key);
                })
                .in(connection);
        return entries;
    }

    private static void add(
            List<Entry> entries, String type, Optional<Instant> time, Optional<String> who, String key) {
        time.ifPresent(
                at -> entries.add(new Entry(id(at, type, key), at, type, who, Optional.empty(), Optional.of(key))));
    }

    /** Returns an id that begins with the time, like those of the record, and is the same for the same event. */
    private static String id(Instant at, String type, String key) {
        byte[] hash = UsedOnce.id(type, key);
        byte[] id = Arrays.copyOf(hash, 16);
        ByteBuffer.wrap(id).putLong(at.toEpochMilli() << 16 | 0x7000 | (hash[6] & 0x0f) << 8 | (hash[7] & 0xff));
        return Ids.hex(id);
    }
}
