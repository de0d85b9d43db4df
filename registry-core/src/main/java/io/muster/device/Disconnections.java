package io.muster.device;

import io.muster.config.MusterConfig.Broker;
import io.muster.device.Disconnections.Whom.Devices;
import io.muster.device.Disconnections.Whom.Everybody;
import io.muster.device.Disconnections.Whom.OneDevice;
import io.muster.device.Disconnections.Whom.OneOperator;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.spi.DeviceId;
import jakarta.persistence.EntityManager;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Whom brokers are to throw off: an outbox. A row is written in the transaction that ends somebody's right to be connected, so
 * none is forgotten whatever happens to this node or the broker, and stays until they are known to be gone. A broker that keeps the
 * logins of devices itself gets a row for whatever else changes them, too. Thread-safe.
 */
public final class Disconnections {

    private static final int PAGE = 500;

    private final Database database;
    private final List<Broker> brokers;
    private final List<Broker> keepers;
    private final Ids ids;
    private final Clock clock;
    private volatile Runnable wake = () -> {};

    /** Who is to be thrown off. */
    public sealed interface Whom {

        /** A device, from whatever it ended to have a right to. */
        record OneDevice(DeviceId id) implements Whom {}

        /** An operator, by its name. */
        record OneOperator(String name) implements Whom {}

        /**
         * All devices of a fleet.
         *
         * @param lot of this lot only
         * @param after those with a greater id
         */
        record Devices(String fleet, Optional<String> lot, byte[] after) implements Whom {}

        /** Whoever the broker has, as long as it differs from what the registry says. */
        record Everybody() implements Whom {}
    }

    /**
     * One that is due.
     *
     * @param requestedAt when they were no longer to be connected
     * @param toldAt when the broker was first told, successfully
     */
    public record Due(byte[] id, Whom whom, Instant requestedAt, Instant dueAt, Optional<Instant> toldAt) {}

    /** Writes for the brokers that can be told. */
    public Disconnections(Database database, List<Broker> brokers, Ids ids, Clock clock) {
        this.database = database;
        this.brokers = brokers.stream()
                .filter(broker -> broker.management().isPresent())
                .toList();
        this.keepers = this.brokers.stream()
                .filter(broker -> broker.kind().keepsLogins())
                .toList();
        this.ids = ids;
        this.clock = clock;
    }

    /** Has something run after each commit that wrote a row due now; there is one such thing. */
    public void onRequest(Runnable wake) {
        this.wake = wake;
    }

    /** Requests within a transaction that a device be thrown off, from this time on. */
    public void request(EntityManager em, String fleet, byte[] device, Instant from) {
        insert(em, brokers, fleet, Optional.empty(), Optional.of(device), from);
    }

    /** Requests within a transaction that the brokers that keep logins be told of those of a device. */
    public void requestLogins(EntityManager em, String fleet, byte[] device) {
        insert(em, keepers, fleet, Optional.empty(), Optional.of(device), clock.instant());
    }

    /** Requests within a transaction that the brokers that keep logins be told of those of all devices of a fleet. */
    public void requestAllLogins(EntityManager em, String fleet) {
        insert(em, keepers, fleet, Optional.empty(), Optional.empty(), clock.instant());
    }

    /** Requests within a transaction that an operator be thrown off. */
    public void request(EntityManager em, String operator) {
        Instant now = clock.instant();
        // Those that keep logins have none of operators.
        brokers.stream().filter(broker -> !keepers.contains(broker)).forEach(broker -> em.createNativeQuery(
                        "INSERT INTO disconnection (id, broker, operator, requested_at, due_at) VALUES (?, ?, ?, ?, ?)")
                .setParameter(1, ids.next())
                .setParameter(2, broker.name())
                .setParameter(3, operator)
                .setParameter(4, now.toEpochMilli())
                .setParameter(5, now.toEpochMilli())
                .executeUpdate());
    }

    /** Requests within a transaction that all devices of a fleet, or of a lot of it, be thrown off whose credentials are no longer good. */
    public void requestAll(EntityManager em, String fleet, Optional<String> lot) {
        insert(em, brokers, fleet, lot, Optional.empty(), clock.instant());
    }

    /** Has a broker compared with the registry now, by one node; from then on it is time and again. */
    public void requestWhole(String broker) {
        UUID name = UUID.nameUUIDFromBytes(("whole " + broker).getBytes(StandardCharsets.UTF_8));
        byte[] id = ByteBuffer.allocate(16)
                .putLong(name.getMostSignificantBits())
                .putLong(name.getLeastSignificantBits())
                .array();
        int there = update("UPDATE disconnection SET due_at = ? WHERE id = ?", clock.millis(), id);
        if (there == 0) {
            try {
                update(
                        "INSERT INTO disconnection (id, broker, requested_at, due_at) VALUES (?, ?, ?, ?)",
                        id,
                        broker,
                        clock.millis(),
                        clock.millis());
            } catch (DuplicateException e) {
                // Another node asked for it at the same time.
            }
        }
        wake.run();
    }

    private void insert(
            EntityManager em,
            List<Broker> told,
            String fleet,
            Optional<String> lot,
            Optional<byte[]> device,
            Instant from) {
        for (Broker broker : told) {
            if (broker.serves(fleet)) {
                em.createNativeQuery(
                                "INSERT INTO disconnection (id, broker, fleet, lot, device_id, requested_at, due_at)"
                                        + " VALUES (?, ?, ?, ?, ?, ?, ?)")
                        .setParameter(1, ids.next())
                        .setParameter(2, broker.name())
                        .setParameter(3, fleet)
                        .setParameter(4, lot.orElse(null))
                        .setParameter(5, device.orElse(null))
                        .setParameter(6, from.toEpochMilli())
                        .setParameter(7, from.toEpochMilli())
                        .executeUpdate();
            }
        }
    }

    /** Says that a transaction was committed that requested something: it need not wait for the next look. */
    public void committed() {
        wake.run();
    }

    /** Lists what is due for a broker, the oldest first. */
    public List<Due> due(String broker, int atMost) {
        return database.query(connection -> {
            List<Due> due = new ArrayList<>();
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT id, operator, fleet, lot, device_id, after_id, requested_at, due_at, told_at FROM disconnection"
                            + " WHERE broker = ? AND due_at <= ? ORDER BY due_at LIMIT ?")) {
                select.setString(1, broker);
                select.setLong(2, clock.millis());
                select.setInt(3, atMost);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        long told = rows.getLong(9);
                        due.add(new Due(
                                rows.getBytes(1),
                                whom(rows),
                                Instant.ofEpochMilli(rows.getLong(7)),
                                Instant.ofEpochMilli(rows.getLong(8)),
                                told == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(told))));
                    }
                }
            }
            return due;
        });
    }

    private static Whom whom(ResultSet row) throws SQLException {
        String operator = row.getString(2);
        byte[] device = row.getBytes(5);
        byte[] after = row.getBytes(6);
        if (operator != null) {
            return new OneOperator(operator);
        }
        if (row.getString(3) == null) {
            return new Everybody();
        }
        return device != null
                ? new OneDevice(new DeviceId(Ids.hex(device)))
                : new Devices(
                        row.getString(3), Optional.ofNullable(row.getString(4)), after == null ? new byte[16] : after);
    }

    /**
     * Takes one for this node, for some time: a compare-and-swap, so that one node does each. A node that dies in the middle leaves it to
     * the others when the time is over.
     *
     * @return false if another node was first
     */
    public boolean take(Due one, Duration lease) {
        return update(
                        "UPDATE disconnection SET due_at = ? WHERE id = ? AND due_at = ?",
                        clock.instant().plus(lease).toEpochMilli(),
                        one.id(),
                        one.dueAt().toEpochMilli())
                == 1;
    }

    /** Notes that the broker was told, and asks to tell it again: somebody may have been let in just before the news got there. */
    public void told(Due one, Instant again) {
        update(
                "UPDATE disconnection SET told_at = ?, due_at = ? WHERE id = ?",
                clock.millis(),
                again.toEpochMilli(),
                one.id());
    }

    /** Puts one back that could not be done. */
    public void putBack(Due one, Instant until) {
        update("UPDATE disconnection SET due_at = ? WHERE id = ?", until.toEpochMilli(), one.id());
    }

    /**
     * Keeps one that is done until this time, when something of the device ends by itself; or deletes it, where another row of the same
     * device waits for the same. One that is due before does not stand for it: a node may be at that, with what the device was before.
     */
    public void again(Due one, DeviceId device, String broker, Instant at) {
        boolean other = database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT 1 FROM disconnection" + " WHERE broker = ? AND device_id = ? AND due_at = ? LIMIT 1")) {
                select.setString(1, broker);
                select.setBytes(2, Ids.bytes(device.value()));
                select.setLong(3, at.toEpochMilli());
                try (ResultSet row = select.executeQuery()) {
                    return row.next();
                }
            }
        });
        if (other) {
            done(one);
        } else {
            putBack(one, at);
        }
    }

    /** Notes that a broker was compared with the registry, and asks for it again; sooner if somebody asked for it meanwhile. */
    public void compared(Due whole, Instant again) {
        update(
                "UPDATE disconnection SET due_at = ? WHERE id = ? AND due_at > ?",
                again.toEpochMilli(),
                whole.id(),
                clock.millis());
    }

    /** Deletes one that is done. */
    public void done(Due one) {
        update("DELETE FROM disconnection WHERE id = ?", one.id());
    }

    private int update(String sql, Object... parameters) {
        return database.query(connection -> {
            try (PreparedStatement update = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    update.setObject(i + 1, parameters[i]);
                }
                return update.executeUpdate();
            }
        });
    }

    /** Makes rows of their own for the next of many devices, and is done with those when there are no more. */
    public void expand(Due due, Devices many, String broker) {
        database.sql(connection -> {
            List<byte[]> devices = devices(connection, many);
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO disconnection (id, broker, fleet, device_id, requested_at, due_at) VALUES (?, ?, ?, ?, ?, ?)")) {
                for (byte[] device : devices) {
                    insert.setBytes(1, ids.next());
                    insert.setString(2, broker);
                    insert.setString(3, many.fleet());
                    insert.setBytes(4, device);
                    insert.setLong(5, due.requestedAt().toEpochMilli());
                    insert.setLong(6, due.requestedAt().toEpochMilli());
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            boolean more = devices.size() == PAGE;
            try (PreparedStatement next = connection.prepareStatement(
                    more
                            ? "UPDATE disconnection SET after_id = ?, due_at = requested_at WHERE id = ?"
                            : "DELETE FROM disconnection WHERE id = ?")) {
                int place = 0;
                if (more) {
                    next.setBytes(++place, devices.get(PAGE - 1));
                }
                next.setBytes(++place, due.id());
                next.executeUpdate();
            }
            return null;
        });
    }

    private static List<byte[]> devices(Connection connection, Devices many) throws SQLException {
        List<byte[]> devices = new ArrayList<>();
        try (PreparedStatement select =
                connection.prepareStatement("SELECT d.id FROM device d WHERE d.fleet = ? AND d.id > ?"
                        + (many.lot().isPresent()
                                ? " AND EXISTS (SELECT 1 FROM device_tag t WHERE t.device_id = d.id AND t.name = 'lot' AND t.text = ?)"
                                : "")
                        + " ORDER BY d.id LIMIT " + PAGE)) {
            select.setString(1, many.fleet());
            select.setBytes(2, many.after());
            if (many.lot().isPresent()) {
                select.setString(3, many.lot().get());
            }
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    devices.add(rows.getBytes(1));
                }
            }
        }
        return devices;
    }
}
