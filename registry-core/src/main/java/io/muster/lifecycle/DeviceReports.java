// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.limit.Limits;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * Attributes that devices report of themselves. A device may report a bounded number of times an hour and node, and
 * leaves at most one event an hour in the record. Thread-safe.
 */
@Part
public final class DeviceReports {

    static final int MOST_AN_HOUR = 60;
    private static final Duration HOUR = Duration.ofHours(1);
    // A range of an index that ends with the id, which begins with the time.
    private static final String RECORDED = "SELECT 1 FROM audit_event USE INDEX (audit_event_device)"
            + " WHERE device_id >= ? AND device_id <= ? AND id >= ? AND type = ? LIMIT 1";

    private final Database database;
    private final DeviceStore devices;
    private final Audit audit;
    private final Clock clock;
    private final Limits limits;

    @Inject
    DeviceReports(Database database, DeviceStore devices, Audit audit, @Ours Clock clock) {
        this.database = database;
        this.devices = devices;
        this.audit = audit;
        this.clock = clock;
        this.limits = new Limits(MOST_AN_HOUR, HOUR, clock);
    }

    /**
     * Changes attributes of a device as the device says. A report that changes nothing writes nothing.
     *
     * @param attributes the values by name, each checked against the fleet's document; empty for one that is to go
     * @param condition on the {@link DeviceLifecycle#version} that is there
     * @param origin the address of the device
     * @return the device afterwards; empty if there is none by this id
     * @throws RegistryException {@code TOO_MANY_REQUESTS}; {@code PRECONDITION_FAILED}; {@code INVALID_REQUEST} if the
     *     device would have more than can be stored
     */
    public Optional<Device> report(
            DeviceId id, Map<String, Optional<Object>> attributes, LongPredicate condition, String origin) {
        limits.count(id.value());
        // On a cluster, an older value that is as reported would hide a newer one from another node.
        Optional<Device> present = database.newest(() -> devices.find(id));
        if (present.isPresent()
                && isAsReported(present.get(), attributes)
                && condition.test(DeviceLifecycle.version(present.get(), devices.tags(present.get())))) {
            return present;
        }
        return database.found(() -> database.transaction(em -> {
            Optional<Device> found = DeviceLifecycle.locked(em, id);
            found.ifPresent(device -> report(em, device, attributes, condition, origin));
            return found;
        }));
    }

    private static boolean isAsReported(Device device, Map<String, Optional<Object>> attributes) {
        Map<String, Object> after = new LinkedHashMap<>(device.attributes());
        attributes.forEach(
                (name, value) -> value.ifPresentOrElse(given -> after.put(name, given), () -> after.remove(name)));
        return after.equals(device.attributes());
    }

    private void report(
            EntityManager em,
            Device device,
            Map<String, Optional<Object>> attributes,
            LongPredicate condition,
            String origin) {
        Map<String, String> tags = DeviceLifecycle.checked(em, device, condition);
        List<String> differences = new ArrayList<>();
        DeviceLifecycle.describe(device, tags, new DevicePatch(Optional.empty(), Map.of(), attributes), differences);
        if (!differences.isEmpty() && !isRecorded(em, device)) {
            audit.record(
                    em,
                    Audit.Type.DEVICE_REPORTED,
                    device.fleet(),
                    null,
                    device.idBytes(),
                    origin,
                    String.join("; ", differences));
        }
    }

    private boolean isRecorded(EntityManager em, Device device) {
        Instant since = clock.instant().minus(HOUR);
        byte[] first =
                ByteBuffer.allocate(16).putLong(since.toEpochMilli() << 16).array();
        return Database.within(
                em,
                Sql.of(RECORDED, device.idBytes(), device.idBytes(), first, Audit.Type.DEVICE_REPORTED.word())
                        .exists());
    }
}
