// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.broker.DisconnectionQueue.Target.Devices;
import io.muster.broker.DisconnectionQueue.Target.Everybody;
import io.muster.broker.DisconnectionQueue.Target.OneDevice;
import io.muster.broker.DisconnectionQueue.Target.OneOperator;
import io.muster.device.Device;
import io.muster.device.DeviceRows;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.DeviceId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The rows that {@link io.muster.disconnection.Disconnections} wrote, as a queue for each broker. All nodes share it;
 * one node at a time has an entry. Thread-safe.
 */
final class DisconnectionQueue {

    /** The clients to disconnect. */
    sealed interface Target {

        /**
         * A device: every connection for which it no longer has the right.
         *
         * @param anew every connection, and the sessions too, although the device may connect again
         */
        record OneDevice(DeviceId id, boolean anew) implements Target {}

        /** An operator, by its name. */
        record OneOperator(String name) implements Target {}

        /**
         * All devices of a fleet.
         *
         * @param lot of this lot only
         * @param after those with a greater id
         */
        record Devices(String fleet, Optional<String> lot, byte[] after) implements Target {}

        /** All clients of the broker that differ from what the registry says. */
        record Everybody() implements Target {}
    }

    /**
     * An entry that is due.
     *
     * @param requestedAt when the target lost the right to be connected
     * @param toldAt when the broker was first told, successfully
     */
    record Entry(byte[] id, Target target, Instant requestedAt, Instant dueAt, Optional<Instant> toldAt) {}

    private static final int PAGE = 500;

    private final Database database;
    private final Ids ids;
    private final Clock clock;

    DisconnectionQueue(Database database, Ids ids, Clock clock) {
        this.database = database;
        this.ids = ids;
        this.clock = clock;
    }

    /** Requests that one node compares a broker with the registry now. Later comparisons follow periodically. */
    void requestFullComparison(String broker) {
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
                // Another node requested it at the same time.
            }
        }
    }

    /** Lists the entries that are due for a broker, the oldest first. */
    List<Entry> due(String broker, int atMost) {
        return database.jdbc(Sql.of(
                        "SELECT id, operator, fleet, lot, device_id, after_id, requested_at, due_at, told_at, anew FROM"
                                + " disconnection WHERE broker = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
                        broker,
                        clock.millis(),
                        atMost)
                .list(row -> new Entry(
                        row.getBytes(1),
                        target(row),
                        Instant.ofEpochMilli(row.getLong(7)),
                        Instant.ofEpochMilli(row.getLong(8)),
                        Sql.time(row, 9))));
    }

    private static Target target(ResultSet row) throws SQLException {
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
                ? new OneDevice(new DeviceId(Ids.hex(device)), row.getBoolean(10))
                : new Devices(
                        row.getString(3), Optional.ofNullable(row.getString(4)), after == null ? new byte[16] : after);
    }

    /**
     * Leases an entry to this node for some time. This is a compare-and-swap, so that one node works on each. If a node
     * dies meanwhile, the others get the entry when the lease ends.
     *
     * @return false if another node was first
     */
    boolean take(Entry one, Duration lease) {
        return update(
                        "UPDATE disconnection SET due_at = ? WHERE id = ? AND due_at = ?",
                        clock.instant().plus(lease).toEpochMilli(),
                        one.id(),
                        one.dueAt().toEpochMilli())
                == 1;
    }

    /** Extends the lease of an entry. Does nothing if it is done, or if it was requested again meanwhile. */
    void renew(Entry one, Duration lease) {
        long until = clock.instant().plus(lease).toEpochMilli();
        update(
                "UPDATE disconnection SET due_at = ? WHERE id = ? AND due_at > ? AND due_at < ?",
                until,
                one.id(),
                clock.millis(),
                until);
    }

    /**
     * Notes that the broker was told, and schedules that it is told again: it may have admitted the client just before
     * it was told.
     *
     * @return false if another node finished it meanwhile
     */
    boolean markTold(Entry one, Instant again) {
        return update(
                        "UPDATE disconnection SET told_at = ?, due_at = ? WHERE id = ?",
                        clock.millis(),
                        again.toEpochMilli(),
                        one.id())
                == 1;
    }

    /**
     * Returns an entry to the queue that could not be done.
     *
     * @return false if another node finished it meanwhile
     */
    boolean postpone(Entry one, Instant until) {
        return update("UPDATE disconnection SET due_at = ? WHERE id = ?", until.toEpochMilli(), one.id()) == 1;
    }

    /**
     * Reschedules a finished row for the moment at which something of the device expires, or deletes it if another row
     * of the device is scheduled for exactly that moment. An earlier row does not count: another node may be working on
     * it with outdated data.
     *
     * @return false if another node finished it meanwhile
     */
    boolean reschedule(Entry one, DeviceId device, String broker, Instant at) {
        boolean other = database.jdbc(Sql.of(
                        "SELECT 1 FROM disconnection WHERE broker = ? AND device_id = ? AND due_at = ? LIMIT 1",
                        broker,
                        Ids.bytes(device.value()),
                        at)
                .exists());
        return other
                ? done(one)
                : update("UPDATE disconnection SET due_at = ?, anew = FALSE WHERE id = ?", at.toEpochMilli(), one.id())
                        == 1;
    }

    /**
     * Notes that a broker was compared with the registry, and schedules the next comparison; an earlier request by
     * somebody else stands.
     */
    void markCompared(Entry whole, Instant again) {
        update(
                "UPDATE disconnection SET due_at = ? WHERE id = ? AND due_at > ?",
                again.toEpochMilli(),
                whole.id(),
                clock.millis());
    }

    /**
     * Deletes a finished entry.
     *
     * @return false if another node finished it meanwhile
     */
    boolean done(Entry one) {
        return update("DELETE FROM disconnection WHERE id = ?", one.id()) == 1;
    }

    private int update(String sql, Object... parameters) {
        return database.jdbc(Sql.of(sql, parameters).update());
    }

    /** Makes a row for each of the next devices of an entry for many, and deletes that entry when there are no more. */
    void expand(Entry due, Devices many, String broker) {
        database.jdbcTransaction(connection -> {
            Many some = many.lot().isPresent() ? ofLot(connection, many) : ofFleet(connection, many);
            Sql.batch(
                            "INSERT INTO disconnection (id, broker, fleet, device_id, requested_at, due_at)"
                                    + " VALUES (?, ?, ?, ?, ?, ?)",
                            some.devices(),
                            device -> new Object[] {
                                ids.next(), broker, many.fleet(), device, due.requestedAt(), due.requestedAt()
                            })
                    .in(connection);
            Sql next = some.next().isPresent()
                    ? Sql.of(
                            "UPDATE disconnection SET after_id = ?, due_at = requested_at WHERE id = ?",
                            some.next().get(),
                            due.id())
                    : Sql.of("DELETE FROM disconnection WHERE id = ?", due.id());
            return next.update().in(connection);
        });
    }

    /** Some of many devices, and the id after which the next ones follow, if there may be any. */
    private record Many(List<byte[]> devices, Optional<byte[]> next) {}

    private static Many ofFleet(Connection connection, Devices many) throws SQLException {
        List<byte[]> devices =
                DeviceRows.ids(connection, List.of(many.fleet()), List.of(DeviceState.values()), many.after(), PAGE);
        return new Many(devices, devices.size() < PAGE ? Optional.empty() : Optional.of(devices.get(PAGE - 1)));
    }

    // Lots of several fleets may have the same name.
    private static Many ofLot(Connection connection, Devices many) throws SQLException {
        DeviceRows.Some some = DeviceRows.list(
                connection,
                new DeviceStore.Filter(
                        Set.of(many.fleet()),
                        Optional.empty(),
                        Optional.of(Map.entry(DeviceTag.LOT, many.lot().orElseThrow())),
                        Optional.empty()),
                many.after(),
                PAGE);
        return new Many(
                some.devices().stream().map(Device::idBytes).toList(),
                some.next().map(id -> Ids.bytes(id.value())));
    }
}
