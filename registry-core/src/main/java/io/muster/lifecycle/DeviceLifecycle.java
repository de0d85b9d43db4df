// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.approval.Approvals;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.device.OpenAllowances;
import io.muster.device.Storable;
import io.muster.disconnection.Disconnections;
import io.muster.json.Json;
import io.muster.once.UsedOnce;
import io.muster.ownership.Ownership;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongPredicate;

/**
 * Changes of a device's data by operators, and its end. Each is one transaction that locks the device, so that it is
 * decided on what is there. Thread-safe.
 */
@Part
public final class DeviceLifecycle {

    private final Database database;
    private final Changes changes;
    private final Audit audit;
    private final Disconnections disconnections;
    private final Ownership ownership;
    private final Clock clock;

    @Inject
    DeviceLifecycle(
            Database database,
            Changes changes,
            Audit audit,
            Disconnections disconnections,
            Ownership ownership,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.audit = audit;
        this.disconnections = disconnections;
        this.ownership = ownership;
        this.clock = clock;
    }

    /**
     * Returns a number that stands for what is known of a device: it changes whenever name, state, tags or attributes
     * do. Never zero or less.
     *
     * @param tags all tags of the device
     */
    public static long version(Device device, Map<String, String> tags) {
        Map<String, Object> known = new LinkedHashMap<>();
        known.put("name", device.name());
        known.put("state", device.state().word());
        known.put("tags", new TreeMap<>(tags));
        known.put("attributes", new TreeMap<>(device.attributes()));
        return version(known);
    }

    /** Returns a number that stands for these members, in this order. Never zero or less. */
    public static long version(Map<String, Object> known) {
        return Math.max(1, ByteBuffer.wrap(UsedOnce.id(Json.text(known))).getLong() & Long.MAX_VALUE);
    }

    /**
     * Changes name, tags and attributes.
     *
     * @param condition on the {@link #version} that is there
     * @return the device afterwards; empty if there is none by this id
     * @throws RegistryException {@code PRECONDITION_FAILED}; {@code INVALID_REQUEST} if the device would have more than
     *     can be stored
     */
    public Optional<Device> change(DeviceId id, DevicePatch patch, LongPredicate condition, String operator) {
        Optional<Device> changed = database.transaction(em -> {
            Optional<Device> found = locked(em, id);
            if (found.isEmpty()) {
                return found;
            }
            Device device = found.get();
            Map<String, String> tags = checked(em, device, condition);
            List<String> differences = new ArrayList<>();
            rename(device, patch, differences);
            tag(em, device, tags, patch, differences);
            describe(device, tags, patch, differences);
            if (!differences.isEmpty()) {
                audit.record(
                        em,
                        Audit.Type.DEVICE_CHANGED,
                        device.fleet(),
                        null,
                        device.idBytes(),
                        operator,
                        String.join("; ", differences));
                changes.note(em, List.of(id.value()));
            }
            return found;
        });
        database.afterwards(() -> changes.forget(List.of(id.value())));
        return changed;
    }

    static Optional<Device> locked(EntityManager em, DeviceId id) {
        byte[] key = Ids.bytes(id.value());
        return DeviceStore.lock(em, key) ? Optional.of(em.find(Device.class, key)) : Optional.empty();
    }

    static Map<String, String> checked(EntityManager em, Device device, LongPredicate condition) {
        Map<String, String> tags = DeviceStore.tags(em, device);
        if (!condition.test(version(device, tags))) {
            throw new RegistryException(ProblemType.PRECONDITION_FAILED, "the device is another than was read");
        }
        return new LinkedHashMap<>(tags);
    }

    private static void rename(Device device, DevicePatch patch, List<String> differences) {
        patch.name().ifPresent(name -> {
            String before = device.name();
            device.rename(name.orElse(null));
            note("name", before, device.name(), differences);
        });
    }

    private static void note(String member, Object before, Object after, List<String> differences) {
        if (before == null ? after != null : !before.equals(after)) {
            differences.add(member + " before: " + Json.text(before) + ", after: " + Json.text(after));
        }
    }

    private static void tag(
            EntityManager em, Device device, Map<String, String> tags, DevicePatch patch, List<String> differences) {
        for (String name : new TreeSet<>(patch.tags().keySet())) {
            String after = patch.tags().get(name).orElse(null);
            String before = after == null ? tags.remove(name) : tags.put(name, after);
            if (before == null ? after == null : before.equals(after)) {
                continue;
            }
            note("tags." + name, before, after, differences);
            Database.within(
                    em,
                    Sql.of("DELETE FROM device_tag WHERE device_id = ? AND name = ?", device.idBytes(), name)
                            .update());
            if (after != null) {
                DeviceStore.tag(em, device.idBytes(), Map.of(name, after));
            }
        }
    }

    static void describe(Device device, Map<String, String> tags, DevicePatch patch, List<String> differences) {
        Map<String, Object> attributes = new LinkedHashMap<>(device.attributes());
        for (String name : new TreeSet<>(patch.attributes().keySet())) {
            Object after = patch.attributes().get(name).orElse(null);
            Object before = after == null ? attributes.remove(name) : attributes.put(name, after);
            note("attributes." + name, before, after, differences);
        }
        Map<String, String> own = new LinkedHashMap<>(tags);
        own.keySet().removeAll(DeviceTag.OWN);
        Storable.fault(Optional.of(device.name()), own, attributes).ifPresent(fault -> {
            throw RegistryException.invalid(List.of(new Fault("#", fault)));
        });
        device.describe(attributes);
    }

    /**
     * Deletes a device. A tombstone without personal data stays: its id, fleet and serial, and its credentials,
     * revoked and without addresses. Its serial never registers again without an allowance. Its owner, its claim codes,
     * what the list of serials says of it, and approvals of its serial are gone. The record of decisions stays.
     * Effective on this node when it returns, on others within two seconds.
     *
     * @param condition on the {@link #version} that is there
     * @return false if there is no device by this id
     * @throws RegistryException {@code PRECONDITION_FAILED}
     */
    public boolean delete(DeviceId id, LongPredicate condition, String operator) {
        List<String> changed = new ArrayList<>();
        Optional<Optional<Ownership.Change>> deleted = database.transaction(em -> {
            changed.clear();
            Optional<Device> found = locked(em, id);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            Device device = found.get();
            checked(em, device, condition);
            String serial = device.serial().value();
            Optional<Ownership.Change> owner = ownership.erase(em, device.fleet(), serial, operator);
            OpenAllowances.takeBack(em, audit, device, clock.instant(), operator, "the device was deleted");
            for (StoredCredential credential : StoredCredential.of(em, device.idBytes())) {
                credential.revoke();
                changed.add(credential.key());
            }
            device.erase();
            em.flush();
            erase(em, device, serial);
            audit.record(em, Audit.Type.DEVICE_DELETED, device.fleet(), null, device.idBytes(), operator, null);
            changed.add(id.value());
            changes.note(em, changed);
            disconnections.request(em, device.fleet(), device.idBytes(), clock.instant());
            return Optional.of(owner);
        });
        database.afterwards(() -> {
            changes.forget(changed);
            disconnections.committed();
            deleted.flatMap(owner -> owner).ifPresent(ownership::committed);
        });
        return deleted.isPresent();
    }

    private static void erase(EntityManager em, Device device, String serial) {
        Approvals.erase(em, device.fleet(), serial);
        for (Sql statement : List.of(
                Sql.of("DELETE FROM device_tag WHERE device_id = ?", device.idBytes()),
                Sql.of("UPDATE credential SET origin = '', last_used_at = NULL WHERE device_id = ?", device.idBytes()),
                Sql.of(
                        "UPDATE expected_serial SET name = NULL, tags = NULL, attributes = NULL"
                                + " WHERE fleet = ? AND serial = ?",
                        device.fleet(),
                        serial))) {
            Database.within(em, statement.update());
        }
    }
}
