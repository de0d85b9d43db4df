// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.disconnection.Disconnections;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.RowLock;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Query;
import jakarta.persistence.TypedQuery;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds devices and changes their state. Thread-safe. */
@Part
public final class DeviceStore {

    /** How many devices a node remembers the state and the owner of. */
    private static final int REMEMBERED = 200_000;

    private static final RowLock BY_ID = RowLock.of("device", "id");
    private static final RowLock BY_ID_AND_STATE = RowLock.of("device", "id", "state");
    private static final RowLock BY_SERIAL = RowLock.of("device", "fleet", "serial");

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Clock clock;
    private final Changes.Remembered<Standing> standings;

    /** Works on the database, and tells other nodes of its changes. */
    @Inject
    public DeviceStore(
            Database database, Changes changes, Audit audit, Disconnections disconnections, @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.clock = clock;
        this.standings = changes.remember(REMEMBERED, this::load);
    }

    /**
     * The devices to list.
     *
     * @param fleets the fleets to look in
     * @param serial the serial, or empty for any
     * @param tag name and text of a tag, or empty for any
     * @param state the state, or empty for any
     */
    public record Filter(
            Set<String> fleets,
            Optional<String> serial,
            Optional<Map.Entry<String, String>> tag,
            Optional<DeviceState> state) {}

    /**
     * A device as a node remembers it.
     *
     * @param owner the mark of its owner; empty if nobody owns it
     */
    public record Standing(DeviceState state, Optional<OwnerMark> owner) {}

    /** Returns the state and the owner of a device, at most two seconds old; empty if there is no such device. */
    public Optional<Standing> standing(DeviceId id) {
        return standings.get(id.value());
    }

    private Optional<Standing> load(String id) {
        return database.jdbc(Sql.of(
                        "SELECT d.state, o.user_key, o.group_key FROM device d LEFT JOIN owned_serial o ON o.fleet ="
                                + " d.fleet AND o.serial = d.serial WHERE d.id = ?",
                        Ids.bytes(id))
                .first(row -> new Standing(
                        DeviceState.ofLetter(row.getString(1)), OwnerMark.of(row.getBytes(2), row.getBytes(3)))));
    }

    /** Returns the device, or empty if there is none by this id. */
    public Optional<Device> find(DeviceId id) {
        return database.found(
                () -> database.read(em -> Optional.ofNullable(em.find(Device.class, Ids.bytes(id.value())))));
    }

    /** Returns the device with this serial, or empty. */
    public Optional<Device> find(String fleet, String serial) {
        return database.read(em -> find(em, fleet, serial));
    }

    /** Returns the device with this serial within a transaction, or empty. */
    public static Optional<Device> find(EntityManager em, String fleet, String serial) {
        return bySerial(em, fleet, serial).getResultStream().findFirst();
    }

    /** Locks the device with this serial until the transaction ends, and returns it as it then is; empty if there is none. */
    public static Optional<Device> lock(EntityManager em, String fleet, String serial) {
        return BY_SERIAL.take(em, fleet, serial) ? find(em, fleet, serial) : Optional.empty();
    }

    /**
     * Locks a device until the transaction ends.
     *
     * @return false if there is none by this id
     */
    public static boolean lock(EntityManager em, byte[] id) {
        return BY_ID.take(em, (Object) id);
    }

    /**
     * Locks a device that is active until the transaction ends.
     *
     * @return false if none by this id is active; then nothing is locked
     */
    public static boolean lockActive(EntityManager em, byte[] id) {
        return BY_ID_AND_STATE.take(em, id, DeviceState.ACTIVE.letter());
    }

    private static TypedQuery<Device> bySerial(EntityManager em, String fleet, String serial) {
        return em.createQuery("SELECT d FROM Device d WHERE d.fleet = :fleet AND d.serial = :serial", Device.class)
                .setParameter("fleet", fleet)
                .setParameter("serial", serial);
    }

    /** Tags a new device within the transaction that creates it, in one statement; in none if there are no tags. */
    public static void tag(EntityManager em, byte[] id, Map<String, String> tags) {
        if (tags.isEmpty()) {
            return;
        }
        String rows =
                String.join(",", tags.keySet().stream().map(name -> "(?,?,?)").toList());
        Query insert = em.createNativeQuery("INSERT INTO device_tag (device_id, name, text) VALUES " + rows);
        int place = 0;
        for (Map.Entry<String, String> tag : tags.entrySet()) {
            insert.setParameter(++place, id);
            insert.setParameter(++place, tag.getKey());
            insert.setParameter(++place, tag.getValue());
        }
        insert.executeUpdate();
    }

    /** Returns all tags of a device, {@code serial} among them. */
    public Map<String, String> tags(Device device) {
        return database.jdbc(connection -> tags(connection, List.of(device))).get(device.id());
    }

    /** Returns all tags of a device within a transaction. */
    public static Map<String, String> tags(EntityManager em, Device device) {
        Map<String, String> tags = new LinkedHashMap<>();
        tags.put(DeviceTag.SERIAL, device.serial().value());
        for (Object row : em.createNativeQuery("SELECT name, text FROM device_tag WHERE device_id = ? ORDER BY name")
                .setParameter(1, device.idBytes())
                .getResultList()) {
            Object[] columns = (Object[]) row;
            tags.put((String) columns[0], (String) columns[1]);
        }
        return tags;
    }

    private static Map<DeviceId, Map<String, String>> tags(Connection connection, List<Device> devices)
            throws SQLException {
        Map<DeviceId, Map<String, String>> all = new LinkedHashMap<>();
        for (Device device : devices) {
            Map<String, String> tags = new LinkedHashMap<>();
            tags.put(DeviceTag.SERIAL, device.serial().value());
            all.put(device.id(), tags);
        }
        for (List<byte[]> some :
                DeviceRows.portions(devices.stream().map(Device::idBytes).toList())) {
            Sql.of(
                            "SELECT device_id, name, text FROM device_tag WHERE device_id IN ("
                                    + DeviceRows.places(some) + ") ORDER BY device_id, name",
                            some)
                    .forEach(row ->
                            all.get(new DeviceId(Ids.hex(row.getBytes(1)))).put(row.getString(2), row.getString(3)))
                    .in(connection);
        }
        return all;
    }

    /**
     * Some devices, in the order of their ids.
     *
     * @param tags all tags of each, {@code serial} among them
     * @param next where the next page begins; empty if there is none
     */
    public record Page(List<Device> devices, Map<DeviceId, Map<String, String>> tags, Optional<DeviceId> next) {}

    /**
     * Lists devices. Examines a bounded number of rows: a page may have fewer devices than requested, or none, and
     * still have a next.
     *
     * @param after the next of the page before; empty for the first page
     * @param atMost how many
     */
    public Page list(Filter filter, Optional<DeviceId> after, int atMost) {
        byte[] from = after.map(id -> Ids.bytes(id.value())).orElseGet(() -> new byte[16]);
        return database.forOperators().jdbc(connection -> {
            DeviceRows.Some some = DeviceRows.list(connection, filter, from, atMost);
            return new Page(some.devices(), tags(connection, some.devices()), some.next());
        });
    }

    /**
     * The number of devices of a fleet or of one of its lots, in any state.
     *
     * @param number how many were counted
     * @param exact false if counting ended before the devices did
     */
    public record Count(long number, boolean exact) {}

    /**
     * Counts the devices of a fleet, or of a lot of it, within {@value DeviceRows#MAX_EXAMINED} rows.
     *
     * @param lot of this lot only
     */
    public Count count(String fleet, Optional<String> lot) {
        return database.forOperators().jdbc(connection -> DeviceRows.count(connection, fleet, lot));
    }

    /**
     * Enables, disables or retires a device. Retiring also revokes the allowances with which the device could come
     * back. Effective on this node when it returns, on others within two seconds.
     *
     * @param wanted active, disabled or retired
     * @param operator the operator who wants it
     * @return the device, changed or already so; empty if there is none by this id
     * @throws RegistryException {@code CONFLICT} if the device is a tombstone or waits for approval
     */
    public Optional<Device> change(DeviceId id, DeviceState wanted, String operator) {
        Optional<Device> changed = database.found(() -> database.transaction(em -> {
            if (!lock(em, Ids.bytes(id.value()))) {
                return Optional.empty();
            }
            Device device = em.find(Device.class, Ids.bytes(id.value()));
            if (wanted == DeviceState.RETIRED) {
                OpenAllowances.takeBack(em, audit, device, clock.instant(), operator, "the device was retired");
            }
            if (device.state() == wanted) {
                return Optional.of(device);
            }
            if (!device.become(wanted)) {
                throw RegistryException.withDetail(
                        ProblemType.CONFLICT, "the device is " + device.state().word());
            }
            audit.record(em, type(wanted), device.fleet(), null, device.idBytes(), operator, null);
            changes.note(em, List.of(id.value()));
            if (wanted == DeviceState.ACTIVE) {
                disconnections.requestLogins(em, device.fleet(), device.idBytes());
            } else {
                disconnections.request(em, device.fleet(), device.idBytes(), clock.instant());
            }
            return Optional.of(device);
        }));
        database.afterwards(() -> {
            changes.forget(List.of(id.value()));
            disconnections.committed();
        });
        return changed;
    }

    private static Audit.Type type(DeviceState wanted) {
        return switch (wanted) {
            case ACTIVE -> Audit.Type.DEVICE_ENABLED;
            case DISABLED -> Audit.Type.DEVICE_DISABLED;
            case RETIRED -> Audit.Type.DEVICE_RETIRED;
            case PENDING -> throw new IllegalArgumentException("no device goes back to waiting");
        };
    }
}
