package io.muster.device;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import jakarta.persistence.EntityManager;
import jakarta.persistence.LockModeType;
import jakarta.persistence.Query;
import jakarta.persistence.TypedQuery;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds devices and changes their state. Thread-safe. */
public final class DeviceStore {

    /** How many devices a node remembers the state of. */
    private static final int REMEMBERED = 200_000;

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Clock clock;
    private final Changes.Remembered<DeviceState> states;

    /** Works on the database and tells other nodes of its changes. */
    public DeviceStore(Database database, Changes changes, Audit audit, Disconnections disconnections, Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.clock = clock;
        this.states = changes.remember(REMEMBERED, this::loadState);
    }

    /**
     * What to list.
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

    /** Returns the state of a device, at most two seconds old; empty if there is no such device. */
    public Optional<DeviceState> state(DeviceId id) {
        return states.get(id.value());
    }

    private Optional<DeviceState> loadState(String id) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement("SELECT state FROM device WHERE id = ?")) {
                select.setBytes(1, Ids.bytes(id));
                try (ResultSet row = select.executeQuery()) {
                    return row.next() ? Optional.of(DeviceState.ofLetter(row.getString(1))) : Optional.empty();
                }
            }
        });
    }

    /** Returns the device, or empty if there is none by this id. */
    public Optional<Device> find(DeviceId id) {
        return database.read(em -> Optional.ofNullable(em.find(Device.class, Ids.bytes(id.value()))));
    }

    /** Returns the device with this serial, or empty. */
    public static Optional<Device> find(EntityManager em, String fleet, String serial) {
        return bySerial(em, fleet, serial).getResultStream().findFirst();
    }

    /** Returns the device with this serial within a transaction, locked until its end; empty if there is none. */
    public static Optional<Device> lock(EntityManager em, String fleet, String serial) {
        return bySerial(em, fleet, serial)
                .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                .getResultStream()
                .findFirst();
    }

    private static TypedQuery<Device> bySerial(EntityManager em, String fleet, String serial) {
        return em.createQuery("SELECT d FROM Device d WHERE d.fleet = :fleet AND d.serial = :serial", Device.class)
                .setParameter("fleet", fleet)
                .setParameter("serial", serial);
    }

    /** Tags a new device within the transaction that creates it: one statement, or none where there are no tags. */
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
        return tags(List.of(device)).get(device.id());
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

    /** Returns all tags of several devices in one query. */
    public Map<DeviceId, Map<String, String>> tags(List<Device> devices) {
        Map<DeviceId, Map<String, String>> all = new LinkedHashMap<>();
        for (Device device : devices) {
            Map<String, String> tags = new LinkedHashMap<>();
            tags.put(DeviceTag.SERIAL, device.serial().value());
            all.put(device.id(), tags);
        }
        if (devices.isEmpty()) {
            return all;
        }
        String places = String.join(",", devices.stream().map(device -> "?").toList());
        database.query(connection -> {
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT device_id, name, text FROM device_tag WHERE device_id IN ("
                            + places + ") ORDER BY device_id, name")) {
                for (int i = 0; i < devices.size(); i++) {
                    select.setBytes(i + 1, devices.get(i).idBytes());
                }
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        all.get(new DeviceId(Ids.hex(rows.getBytes(1)))).put(rows.getString(2), rows.getString(3));
                    }
                }
            }
            return null;
        });
        return all;
    }

    /**
     * Counts the devices of a fleet, whatever their state: from an index alone for all, from that of tags for a lot.
     *
     * @param lot of this lot only
     */
    public long count(String fleet, Optional<String> lot) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    lot.isPresent()
                            ? "SELECT COUNT(*) FROM device_tag t JOIN device d ON d.id = t.device_id"
                                    + " WHERE d.fleet = ? AND t.name = 'lot' AND t.text = ?"
                            : "SELECT COUNT(*) FROM device d WHERE d.fleet = ?")) {
                select.setString(1, fleet);
                if (lot.isPresent()) {
                    select.setString(2, lot.get());
                }
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    return row.getLong(1);
                }
            }
        });
    }

    /**
     * Lists devices in the order of their ids.
     *
     * @param after the last id of the page before; empty for the first page
     * @param atMost how many
     */
    public List<Device> list(Filter filter, Optional<DeviceId> after, int atMost) {
        byte[] from = after.map(id -> Ids.bytes(id.value())).orElseGet(() -> new byte[16]);
        if (filter.tag().isPresent() && !filter.tag().get().getKey().equals(DeviceTag.SERIAL)) {
            return database.read(em -> byTag(em, filter, from, atMost));
        }
        return database.read(em -> byFleet(em, filter, from, atMost));
    }

    // Walks the tag's index in steps, because the rest of the filter is not in it.
    private static List<Device> byTag(EntityManager em, Filter filter, byte[] from, int atMost) {
        Map.Entry<String, String> tag = filter.tag().orElseThrow();
        List<Device> found = new ArrayList<>();
        byte[] last = from;
        int step = atMost * 2 + 10;
        while (found.size() < atMost) {
            List<Device> some = em.createQuery(
                            "SELECT d FROM DeviceTag t, Device d WHERE t.name = :name AND t.text = :text AND t.deviceId > :last"
                                    + " AND d.id = t.deviceId ORDER BY t.deviceId",
                            Device.class)
                    .setParameter("name", tag.getKey())
                    .setParameter("text", tag.getValue())
                    .setParameter("last", last)
                    .setMaxResults(step)
                    .getResultList();
            some.stream()
                    .filter(device -> filter.fleets().contains(device.fleet()))
                    .filter(device ->
                            filter.serial().map(device.serial().value()::equals).orElse(true))
                    .filter(device -> filter.state().map(device.state()::equals).orElse(true))
                    .limit(atMost - found.size())
                    .forEach(found::add);
            if (some.size() < step) {
                return found;
            }
            last = some.get(some.size() - 1).idBytes();
            em.clear();
        }
        return found;
    }

    // One index range per fleet and state, each already in order, so that no filter ever walks rows it does not want.
    private static List<Device> byFleet(EntityManager em, Filter filter, byte[] from, int atMost) {
        Optional<String> serial = filter.serial().or(() -> filter.tag().map(Map.Entry::getValue));
        if (filter.tag().isPresent() && !filter.tag().map(Map.Entry::getValue).equals(serial)) {
            return List.of();
        }
        List<Device> found = new ArrayList<>();
        for (String fleet : filter.fleets()) {
            for (DeviceState state : filter.state().map(List::of).orElse(List.of(DeviceState.values()))) {
                TypedQuery<Device> query = em.createQuery(
                                "SELECT d FROM Device d WHERE d.fleet = :fleet AND d.state = :state AND d.id > :from"
                                        + (serial.isPresent() ? " AND d.serial = :serial" : "") + " ORDER BY d.id",
                                Device.class)
                        .setParameter("fleet", fleet)
                        .setParameter("state", state)
                        .setParameter("from", from)
                        .setMaxResults(atMost);
                serial.ifPresent(text -> query.setParameter("serial", text));
                found.addAll(query.getResultList());
            }
        }
        found.sort(Comparator.comparing(Device::id));
        return found.subList(0, Math.min(atMost, found.size()));
    }

    /**
     * Lets a device authenticate again, or no more, or makes it a tombstone, and takes the allowances back by which that could
     * come back. Effective on this node when it returns, on others within two seconds.
     *
     * @param wanted active, disabled or retired
     * @param operator who wants it
     * @return the device, changed or already so; empty if there is none by this id
     * @throws RegistryException {@code CONFLICT} if the device is a tombstone or waits for approval
     */
    public Optional<Device> change(DeviceId id, DeviceState wanted, String operator) {
        Optional<Device> changed = database.transaction(em -> {
            Device device = em.find(Device.class, Ids.bytes(id.value()), LockModeType.PESSIMISTIC_WRITE);
            if (device == null) {
                return Optional.empty();
            }
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
        });
        changes.forget(List.of(id.value()));
        disconnections.committed();
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
