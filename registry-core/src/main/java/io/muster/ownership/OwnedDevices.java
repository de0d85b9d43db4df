// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.api.ProblemType;
import io.muster.cdi.Part;
import io.muster.device.DeviceState;
import io.muster.fleet.ClaimRules;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.IndexRange;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.user.User;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds the devices of users and groups. A page reads its own rows and one index entry for each group, however many
 * devices there are. Thread-safe.
 */
@Part
public final class OwnedDevices {

    /** The cursor of a page: the claim that it follows, and the group whose devices it goes on with. */
    private static final Pattern CURSOR = Pattern.compile("([0-9a-f]{32})([0-9a-f]{64})?");

    private static final IndexRange BY_USER = IndexRange.of("o.user_key", "o.id");
    private static final IndexRange BY_GROUP = IndexRange.of("o.group_key", "o.id");

    private static final String SELECT = "SELECT " + OwnedSerial.COLUMNS + ", d.id, d.state, d.name,"
            + " (SELECT MAX(c.last_used_at) FROM credential c WHERE c.device_id = d.id) FROM ";
    private static final String WITH_DEVICE = " LEFT JOIN device d ON d.fleet = o.fleet AND d.serial = o.serial";

    // The page of the index comes first, in a query of its own, so that the database starts with it.
    private static final String OF_USER = SELECT
            + "(SELECT * FROM owned_serial o USE INDEX (owned_serial_user) WHERE " + BY_USER.sql() + ") o"
            + WITH_DEVICE + " ORDER BY o.id";
    private static final String OF_GROUP = SELECT
            + "(SELECT * FROM owned_serial o USE INDEX (owned_serial_group) WHERE " + BY_GROUP.sql() + ") o"
            + WITH_DEVICE + " ORDER BY o.id";
    private static final String BY_ID = SELECT + "owned_serial o" + WITH_DEVICE + " WHERE o.id = ?";
    private static final String BY_DEVICE = SELECT
            + "device k JOIN owned_serial o ON o.fleet = k.fleet AND o.serial = k.serial" + WITH_DEVICE
            + " WHERE k.id = ?";

    /** Devices of a page, and the cursor of the next one, if there may be one. */
    public record Page(List<OwnedDevice> devices, Optional<String> next) {}

    /** A row with its device, if there is one. */
    private record Row(
            OwnedSerial owned,
            Optional<byte[]> deviceId,
            Optional<DeviceState> state,
            Optional<String> name,
            Optional<Instant> lastSeenAt) {}

    private record Rows(List<Row> rows, Optional<String> next) {}

    private final Database database;
    private final Fleets fleets;

    @Inject
    OwnedDevices(Database database, Fleets fleets) {
        this.database = database;
        this.fleets = fleets;
    }

    /** Tells whether a text is the cursor of some page. */
    public static boolean isCursor(String text) {
        return CURSOR.matcher(text).matches();
    }

    static RegistryException notFound() {
        return new RegistryException(ProblemType.NOT_FOUND, "no such device, or not of this user");
    }

    /**
     * Lists the devices of a user, and then those of the user's groups, group after group.
     *
     * @param after the cursor of the page
     */
    Page list(User user, Optional<String> after, int atMost) {
        byte[] own = user.key();
        TreeMap<byte[], byte[]> groups = new TreeMap<>(Arrays::compareUnsigned);
        user.groups().stream().map(user::groupKey).forEach(key -> groups.put(key, key));
        Optional<byte[]> claim = after.map(text -> Ids.bytes(text.substring(0, 32)));
        Optional<byte[]> group = after.filter(text -> text.length() > 32).map(text -> Ids.bytes(text.substring(32)));
        Rows found = database.jdbc(connection -> {
            List<Row> rows = new ArrayList<>();
            Optional<String> next = Optional.empty();
            if (group.isEmpty()) {
                rows.addAll(rows(connection, OF_USER, BY_USER, own, claim, atMost));
                next = rows.size() == atMost ? Optional.of(last(rows)) : Optional.empty();
            }
            // Keys are compared as a whole: the group of the cursor may be one that the user has left meanwhile.
            for (byte[] key :
                    group.map(from -> groups.tailMap(from, true)).orElse(groups).keySet()) {
                if (rows.size() == atMost) {
                    break;
                }
                Optional<byte[]> from = claim.filter(id ->
                        group.filter(started -> Arrays.equals(started, key)).isPresent());
                List<Row> some = rows(connection, OF_GROUP, BY_GROUP, key, from, atMost - rows.size());
                rows.addAll(some);
                next = rows.size() == atMost ? Optional.of(last(rows) + Ids.hex(key)) : Optional.empty();
            }
            return new Rows(rows, next);
        });
        return new Page(views(found.rows()), found.next());
    }

    private static String last(List<Row> rows) {
        return Ids.hex(rows.get(rows.size() - 1).owned().id());
    }

    private static List<Row> rows(
            Connection connection, String query, IndexRange range, byte[] key, Optional<byte[]> after, int atMost)
            throws SQLException {
        return Sql.of(query, range.values(List.of(key), after.orElseGet(() -> new byte[16]), atMost))
                .list(OwnedDevices::row)
                .in(connection);
    }

    private static Row row(ResultSet row) throws SQLException {
        return new Row(
                OwnedSerial.of(row),
                Optional.ofNullable(row.getBytes(11)),
                Optional.ofNullable(row.getString(12)).map(DeviceState::ofLetter),
                Optional.ofNullable(row.getString(13)),
                Sql.time(row, 14));
    }

    /**
     * Returns a device of the user or of one of the user's groups.
     *
     * @param id of the device or of the claim
     * @throws RegistryException {@code NOT_FOUND}
     */
    OwnedDevice find(User user, String id) {
        if (!DeviceId.isValid(id)) {
            throw notFound();
        }
        byte[] key = Ids.bytes(id);
        return byId(key)
                .or(() -> one(BY_DEVICE, key))
                .filter(device -> device.owner().includes(user))
                .orElseThrow(OwnedDevices::notFound);
    }

    /** Returns the device of a claim; empty if it belongs to nobody. */
    Optional<OwnedDevice> byId(byte[] claimId) {
        return one(BY_ID, claimId);
    }

    private Optional<OwnedDevice> one(String query, byte[] id) {
        List<Row> rows = database.jdbc(Sql.of(query, id).list(OwnedDevices::row)).stream()
                .filter(row -> row.owned().owner().isPresent())
                .toList();
        return views(rows).stream().findFirst();
    }

    // Not while a connection is held: fleets may have to be read.
    private List<OwnedDevice> views(List<Row> rows) {
        Map<String, Map<String, String>> tags = tags(rows);
        return rows.stream()
                .map(row -> view(
                        row, row.deviceId().map(id -> tags.get(Ids.hex(id))).orElse(Map.of())))
                .toList();
    }

    private Optional<ClaimRules> rules(Row row) {
        return fleets.find(row.owned().fleet())
                .flatMap(fleet -> fleet.document().claims());
    }

    /** Returns the tags that owners may set, by device. */
    private Map<String, Map<String, String>> tags(List<Row> rows) {
        Map<String, List<String>> settable = new HashMap<>();
        for (Row row : rows) {
            List<String> names = rules(row).map(ClaimRules::tags).orElse(List.of());
            if (!names.isEmpty()) {
                row.deviceId().ifPresent(id -> settable.put(Ids.hex(id), names));
            }
        }
        Map<String, Map<String, String>> tags = new HashMap<>();
        if (!settable.isEmpty()) {
            List<String> names =
                    settable.values().stream().flatMap(List::stream).distinct().toList();
            database.jdbc(Sql.of(
                            "SELECT device_id, name, text FROM device_tag WHERE device_id IN ("
                                    + places(settable.size()) + ") AND name IN (" + places(names.size())
                                    + ") ORDER BY name",
                            Stream.concat(settable.keySet().stream().map(Ids::bytes), names.stream())
                                    .collect(Collectors.<Object>toList()))
                    .forEach(tag -> {
                        String id = Ids.hex(tag.getBytes(1));
                        if (settable.get(id).contains(tag.getString(2))) {
                            tags.computeIfAbsent(id, device -> new LinkedHashMap<>())
                                    .put(tag.getString(2), tag.getString(3));
                        }
                    }));
        }
        rows.forEach(row -> row.deviceId().ifPresent(id -> tags.putIfAbsent(Ids.hex(id), Map.of())));
        return tags;
    }

    private static String places(int number) {
        return String.join(",", Collections.nCopies(number, "?"));
    }

    private OwnedDevice view(Row row, Map<String, String> tags) {
        OwnedSerial owned = row.owned();
        Owner owner = owned.owner().orElseThrow();
        Optional<ClaimRules> rules =
                rules(row).filter(claims -> claims.isOpenTo(owner.user().provider()));
        return new OwnedDevice(
                Ids.hex(owned.id()),
                row.deviceId().map(Ids::hex).map(DeviceId::new),
                owned.fleet(),
                owned.serial(),
                owned.name().or(row::name).orElseGet(() -> shown(owned)),
                row.state().map(DeviceState::word).orElse("expected"),
                owner,
                owned.claimedAt().orElse(Instant.EPOCH),
                tags,
                new OwnedDevice.Can(
                        rules.isPresent(),
                        rules.filter(ClaimRules::release).isPresent(),
                        rules.filter(ClaimRules::transfer).isPresent(),
                        row.deviceId()
                                .flatMap(id -> rules)
                                .map(ClaimRules::tags)
                                .orElse(List.of())),
                row.lastSeenAt());
    }

    private String shown(OwnedSerial owned) {
        return fleets.find(owned.fleet())
                .map(Fleet::document)
                .map(document -> document.shown(new SerialNumber(owned.serial())))
                .orElse(owned.serial());
    }
}
