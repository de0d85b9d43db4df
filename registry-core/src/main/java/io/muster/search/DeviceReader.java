// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.Device;
import io.muster.device.DeviceTag;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.DeviceId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads what one page needs, and counts the rows. Not thread-safe. */
final class DeviceReader {

    // Small: MariaDB treats a list of a thousand as a table to join.
    private static final int AT_ONCE = 500;

    /** How many rows a statement reads where a range begins and ends. */
    private static final int ENDS = 2;

    private final Connection connection;
    private final DeviceSearch.Wanted wanted;
    private final Set<String> keys;
    private int left = DeviceSearch.MAX_READ;

    DeviceReader(Connection connection, DeviceSearch.Wanted wanted) {
        this.connection = connection;
        this.wanted = wanted;
        this.keys = wanted.filter().fields().stream()
                .flatMap(field -> DeviceFields.tag(field).stream())
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Returns how many entries may still be read so that the devices of all of them can be checked.
     *
     * @param scans how many scans may each return so many entries
     */
    int affordable(int scans) {
        return (left - ENDS * scans) / (scans + perDevice());
    }

    private int perDevice() {
        // The device, and for each tag its row, or the place where it would be.
        return 1 + keys.size();
    }

    /** Reads some entries of an index. */
    List<Entry> entries(Scan scan, boolean descending, int atMost) throws SQLException {
        List<Entry> some = scan.read(connection, descending, atMost);
        left -= some.size() + ENDS;
        return some;
    }

    /** Returns those devices of the fleet that the filter matches, in any order. */
    List<Device> matching(List<byte[]> ids) throws SQLException {
        List<Device> found = new ArrayList<>();
        for (List<byte[]> some : portions(ids, Math.max(1, AT_ONCE / Math.max(1, keys.size())))) {
            List<Device> devices = Sql.of(
                            "SELECT " + Device.COLUMNS + " FROM device d WHERE d.id IN (" + places(some.size()) + ")",
                            some)
                    .list(Device::of)
                    .in(connection);
            left -= some.size() * perDevice();
            Map<DeviceId, Map<String, String>> tags = named(some);
            for (Device device : devices) {
                Map<String, String> own = tags.getOrDefault(device.id(), Map.of());
                if (device.fleet().equals(wanted.fleet())
                        && wanted.filter().matches(field -> DeviceFields.value(field, device, own))) {
                    found.add(device);
                }
            }
        }
        return found;
    }

    /** Reads the tags that the filter names. */
    private Map<DeviceId, Map<String, String>> named(List<byte[]> ids) throws SQLException {
        Map<DeviceId, Map<String, String>> tags = new HashMap<>();
        if (!keys.isEmpty()) {
            List<Object> parameters = new ArrayList<>(ids);
            parameters.addAll(keys);
            Sql.of(
                            "SELECT device_id, name, text FROM device_tag WHERE device_id IN (" + places(ids.size())
                                    + ") AND name IN (" + places(keys.size()) + ")",
                            parameters)
                    .forEach(row -> tags.computeIfAbsent(
                                    new DeviceId(Ids.hex(row.getBytes(1))), unknown -> new HashMap<>())
                            .put(row.getString(2), row.getString(3)))
                    .in(connection);
        }
        return tags;
    }

    /** Returns all tags of the devices of a page, which are part of the page. */
    Map<DeviceId, Map<String, String>> tags(List<Device> devices) throws SQLException {
        Map<DeviceId, Map<String, String>> all = new LinkedHashMap<>();
        for (Device device : devices) {
            Map<String, String> tags = new LinkedHashMap<>();
            tags.put(DeviceTag.SERIAL, device.serial().value());
            all.put(device.id(), tags);
        }
        for (List<byte[]> some : portions(devices.stream().map(Device::idBytes).toList(), AT_ONCE)) {
            Sql.of(
                            "SELECT device_id, name, text FROM device_tag WHERE device_id IN (" + places(some.size())
                                    + ") ORDER BY device_id, name",
                            some)
                    .forEach(row -> Optional.ofNullable(all.get(new DeviceId(Ids.hex(row.getBytes(1)))))
                            .orElseThrow()
                            .put(row.getString(2), row.getString(3)))
                    .in(connection);
        }
        return all;
    }

    private static List<List<byte[]>> portions(List<byte[]> ids, int atOnce) {
        List<List<byte[]>> all = new ArrayList<>();
        for (int from = 0; from < ids.size(); from += atOnce) {
            all.add(ids.subList(from, Math.min(from + atOnce, ids.size())));
        }
        return all;
    }

    private static String places(int number) {
        return "?" + ",?".repeat(number - 1);
    }
}
