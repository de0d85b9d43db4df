// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.Sql;
import io.muster.spi.DeviceId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Pages of devices. Each way to find them uses an index that has their order. The number of rows that it reads depends
 * neither on the number of devices nor on the page.
 */
public final class DeviceRows {

    /** How many rows one page examines at most, even if it finds few or none. */
    static final int MAX_EXAMINED = 10_000;

    private static final int STEP = 1000;

    /** From how many ranges of a fleet and a state one page is assembled; with more it goes through all devices. */
    private static final int MOST_RANGES = 16;

    // Small: MariaDB treats a list of a thousand as a table to join.
    private static final int AT_ONCE = 500;

    private static final IndexRange BY_STATE = IndexRange.of("d.fleet", "d.state", "d.id");
    private static final IndexRange BY_TAG = IndexRange.of("t.name", "t.text", "t.device_id");
    private static final IndexRange BY_ID = IndexRange.of("d.id");

    private static final String OF_STATE = "SELECT d.id FROM device d USE INDEX (device_state) WHERE " + BY_STATE.sql();
    // The page of the tag's index comes first, in a query of its own, so that the database starts with it.
    private static final String OF_TAG = "SELECT " + Device.COLUMNS + " FROM (SELECT t.device_id FROM device_tag t"
            + " USE INDEX (device_tag_text) WHERE " + BY_TAG.sql() + ") p JOIN device d ON d.id = p.device_id";
    private static final String OF_ALL = "SELECT " + Device.COLUMNS + " FROM device d WHERE " + BY_ID.sql();
    private static final String OF_SERIAL =
            "SELECT " + Device.COLUMNS + " FROM device d WHERE d.fleet = ? AND d.serial = ?";
    private static final String HAS_TAG = "SELECT 1 FROM device_tag WHERE device_id = ? AND name = ? AND text = ?";
    private static final String COUNT_FLEET =
            "SELECT COUNT(*), COUNT(*) FROM (SELECT d.id FROM device d WHERE d.fleet = ? LIMIT ?) p";
    private static final String COUNT_LOT = "SELECT COUNT(*), SUM(CASE WHEN d.fleet = ? THEN 1 ELSE 0 END)"
            + " FROM (SELECT t.device_id FROM device_tag t USE INDEX (device_tag_text) WHERE " + BY_TAG.sql()
            + ") p JOIN device d ON d.id = p.device_id";

    private DeviceRows() {}

    /** Devices, and the beginning of the next page, if there is one. */
    public record Some(List<Device> devices, Optional<DeviceId> next) {}

    /** Reads the rows after one in the order of ids. */
    @FunctionalInterface
    private interface Source {
        List<Device> read(byte[] after, int atMost) throws SQLException;
    }

    public static Some list(Connection connection, DeviceStore.Filter filter, byte[] from, int atMost)
            throws SQLException {
        Optional<String> tagged = filter.tag()
                .filter(tag -> tag.getKey().equals(DeviceTag.SERIAL))
                .map(Map.Entry::getValue);
        Optional<String> serial = filter.serial().or(() -> tagged);
        if (tagged.isPresent() && !tagged.equals(serial)) {
            return new Some(List.of(), Optional.empty());
        }
        if (serial.isPresent()) {
            return page(bySerial(connection, filter, serial.get(), from), atMost);
        }
        if (filter.tag().isPresent()) {
            return through(filter, from, atMost, byTag(connection, filter.tag().get()));
        }
        List<DeviceState> states = filter.state().map(List::of).orElse(List.of(DeviceState.values()));
        if (filter.fleets().size() * states.size() > MOST_RANGES) {
            return through(filter, from, atMost, byId(connection));
        }
        return page(byState(connection, filter, states, from, atMost), atMost);
    }

    private static Some page(List<Device> devices, int atMost) {
        List<Device> some = devices.size() > atMost ? devices.subList(0, atMost) : devices;
        return new Some(
                some,
                some.size() < atMost
                        ? Optional.empty()
                        : Optional.of(some.get(atMost - 1).id()));
    }

    /** Goes through rows in steps, because their index does not cover the rest of the filter. */
    private static Some through(DeviceStore.Filter filter, byte[] from, int atMost, Source source) throws SQLException {
        List<Device> found = new ArrayList<>();
        byte[] last = from;
        int step = atMost;
        for (int examined = 0; examined < MAX_EXAMINED; examined += step) {
            // The requested number is often enough. If it is not, few of the rows match.
            step = examined == 0 ? atMost : Math.min(Math.max(atMost, STEP), MAX_EXAMINED - examined);
            List<Device> some = source.read(last, step);
            for (Device device : some) {
                last = device.idBytes();
                if (filter.fleets().contains(device.fleet())
                        && filter.state().map(device.state()::equals).orElse(true)) {
                    found.add(device);
                    if (found.size() == atMost) {
                        return new Some(found, Optional.of(device.id()));
                    }
                }
            }
            if (some.size() < step) {
                return new Some(found, Optional.empty());
            }
        }
        return new Some(found, Optional.of(new DeviceId(Ids.hex(last))));
    }

    private static Source byTag(Connection connection, Map.Entry<String, String> tag) {
        return (after, atMost) -> {
            List<Object> page = BY_TAG.values(List.of(tag.getKey(), tag.getValue()), after, atMost);
            List<Device> devices = Sql.of(OF_TAG, page).list(Device::of).in(connection);
            // Sort here, because the database would read each of them once more for it.
            devices.sort(Comparator.comparing(Device::id));
            return devices;
        };
    }

    private static Source byId(Connection connection) {
        return (after, atMost) -> Sql.of(OF_ALL, BY_ID.values(List.of(), after, atMost))
                .list(Device::of)
                .in(connection);
    }

    /** Finds devices by serial: each fleet has one at most. */
    private static List<Device> bySerial(Connection connection, DeviceStore.Filter filter, String serial, byte[] from)
            throws SQLException {
        List<Device> found = new ArrayList<>();
        for (String fleet : filter.fleets()) {
            Optional<Device> device =
                    Sql.of(OF_SERIAL, fleet, serial).first(Device::of).in(connection);
            if (device.isPresent()
                    && Arrays.compareUnsigned(device.get().idBytes(), from) > 0
                    && filter.state().map(device.get().state()::equals).orElse(true)
                    && hasTag(connection, device.get(), filter.tag())) {
                found.add(device.get());
            }
        }
        found.sort(Comparator.comparing(Device::id));
        return found;
    }

    private static boolean hasTag(Connection connection, Device device, Optional<Map.Entry<String, String>> tag)
            throws SQLException {
        if (tag.isEmpty() || tag.get().getKey().equals(DeviceTag.SERIAL)) {
            return true;
        }
        return Sql.of(HAS_TAG, device.idBytes(), tag.get().getKey(), tag.get().getValue())
                .exists()
                .in(connection);
    }

    /** Reads one index range for each fleet and state, each in order, and takes the first rows of all. */
    private static List<Device> byState(
            Connection connection, DeviceStore.Filter filter, List<DeviceState> states, byte[] from, int atMost)
            throws SQLException {
        List<byte[]> first = ids(connection, filter.fleets(), states, from, atMost);
        List<Device> found = new ArrayList<>();
        for (List<byte[]> some : portions(first)) {
            found.addAll(Sql.of(
                            "SELECT " + Device.COLUMNS + " FROM device d WHERE d.id IN (" + places(some)
                                    + ") ORDER BY d.id",
                            some)
                    .list(Device::of)
                    .in(connection));
        }
        return found;
    }

    /** Returns the ids of the devices in these fleets and states that follow an id, in order. */
    public static List<byte[]> ids(
            Connection connection, Iterable<String> fleets, List<DeviceState> states, byte[] from, int atMost)
            throws SQLException {
        List<byte[]> ids = new ArrayList<>();
        for (String fleet : fleets) {
            for (DeviceState state : states) {
                ids.addAll(Sql.of(OF_STATE, BY_STATE.values(List.of(fleet, state.letter()), from, atMost))
                        .list(row -> row.getBytes(1))
                        .in(connection));
            }
        }
        ids.sort(Arrays::compareUnsigned);
        return ids.size() > atMost ? ids.subList(0, atMost) : ids;
    }

    static DeviceStore.Count count(Connection connection, String fleet, Optional<String> lot) throws SQLException {
        List<Object> parameters = new ArrayList<>();
        parameters.add(fleet);
        if (lot.isPresent()) {
            parameters.addAll(BY_TAG.values(List.of(DeviceTag.LOT, lot.get()), new byte[0], MAX_EXAMINED));
        } else {
            parameters.add(MAX_EXAMINED);
        }
        return Sql.of(lot.isPresent() ? COUNT_LOT : COUNT_FLEET, parameters)
                .first(row -> new DeviceStore.Count(row.getLong(2), row.getLong(1) < MAX_EXAMINED))
                .in(connection)
                .orElseThrow();
    }

    /** Splits the ids into lists that are short enough for one statement. */
    static List<List<byte[]>> portions(List<byte[]> ids) {
        return Stream.iterate(0, from -> from < ids.size(), from -> from + AT_ONCE)
                .map(from -> ids.subList(from, Math.min(from + AT_ONCE, ids.size())))
                .toList();
    }

    static String places(List<byte[]> ids) {
        return String.join(",", ids.stream().map(id -> "?").toList());
    }
}
