// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.DeviceState;
import io.muster.persistence.Ids;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The statements that read entries of the indexes of devices. */
final class Scans {

    private static final String DEVICE = "SELECT d.id, COALESCE(d.name, d.serial), d.serial FROM device d";
    private static final String BY_ID = "SELECT d.id, '', '' FROM device d";
    private static final String BY_STATE = BY_ID + " USE INDEX (device_state)";
    // Only MariaDB reads this comment. H2 has another name for the index of a constraint.
    private static final String BY_SERIAL = "SELECT d.id, '', d.serial FROM device d /*M! USE INDEX (device_serial) */";
    private static final String BY_NAME = DEVICE + " USE INDEX (device_name)";
    private static final String BY_TAG = "SELECT t.device_id, '', '' FROM device_tag t USE INDEX (device_tag_text)";
    private static final String BY_ANY_TAG = "SELECT t.device_id, '', '' FROM device_tag t USE INDEX (device_tag_any)";

    private static final String FLEET = "d.fleet";
    private static final String ID = "d.id";
    private static final String SERIAL = "d.serial";
    private static final String NAME = "d.name";
    private static final String TAG_ID = "t.device_id";

    private Scans() {}

    /**
     * Returns the scans that together read a part of an index, or all devices of a fleet, in an order. If the part has
     * another order, {@code after} is empty.
     *
     * @param part empty for all devices of the fleet
     */
    static List<Scan> of(String fleet, Optional<Range> part, Sort sort, Optional<Entry> after) {
        Range.Index index = part.map(Range::index).orElseGet(() -> switch (sort.key()) {
            case REGISTERED -> Range.Index.STATE;
            case SERIAL -> Range.Index.SERIAL;
            case NAME -> Range.Index.NAME;
        });
        return switch (index) {
            case ID -> List.of(byId(part.orElseThrow(), sort, after));
            case STATE -> byState(fleet, part, sort, after);
            case SERIAL -> List.of(bySerial(fleet, part, sort, after));
            case NAME -> byName(fleet, part, sort, after);
            case TAG -> List.of(byTag(part.orElseThrow(), sort, after));
            case ANY_TAG ->
                List.of(new Scan(BY_ANY_TAG)
                        .begins("t.text", part.orElseThrow().text())
                        .by("t.text")
                        .by(TAG_ID));
        };
    }

    private static String behind(Sort sort) {
        return sort.descending() ? "<" : ">";
    }

    private static Scan behind(Scan scan, String column, Sort sort, Optional<Object> value) {
        value.ifPresent(last -> scan.where(column, behind(sort), last));
        return scan.by(column);
    }

    private static Optional<Object> id(Optional<Entry> after) {
        return after.map(Entry::id);
    }

    private static Scan byId(Range part, Sort sort, Optional<Entry> after) {
        String rest = "0".repeat(32 - part.text().length());
        Scan scan = new Scan(BY_ID)
                .where(ID, ">=", Ids.bytes(part.text() + rest))
                .where(ID, "<=", Ids.bytes(part.text() + rest.replace('0', 'f')));
        return behind(scan, ID, sort, id(after));
    }

    private static List<Scan> byState(String fleet, Optional<Range> part, Sort sort, Optional<Entry> after) {
        List<Scan> scans = new ArrayList<>();
        for (DeviceState state : DeviceState.values()) {
            if (part.isEmpty() || part.get().text().equals(state.word())) {
                Scan scan = new Scan(BY_STATE).equal(FLEET, fleet).equal("d.state", state.letter());
                scans.add(behind(scan, ID, sort, id(after)));
            }
        }
        return scans;
    }

    private static Scan byTag(Range part, Sort sort, Optional<Entry> after) {
        Scan scan = new Scan(BY_TAG).equal("t.name", part.first());
        if (!part.whole()) {
            return scan.begins("t.text", part.text()).by("t.text").by(TAG_ID);
        }
        return behind(scan.equal("t.text", part.text()), TAG_ID, sort, id(after));
    }

    private static Scan bySerial(String fleet, Optional<Range> part, Sort sort, Optional<Entry> after) {
        return behind(
                within(new Scan(BY_SERIAL).equal(FLEET, fleet), SERIAL, part), SERIAL, sort, after.map(Entry::serial));
    }

    private static Scan within(Scan scan, String column, Optional<Range> part) {
        part.ifPresent(range -> {
            if (range.whole()) {
                scan.where(column, ">=", range.text()).where(column, "<=", range.text());
            } else {
                scan.begins(column, range.text());
            }
        });
        return scan;
    }

    /** Devices without a name have their serial for one, so they are read beside those with a name. */
    private static List<Scan> byName(String fleet, Optional<Range> part, Sort sort, Optional<Entry> after) {
        List<Scan> scans = new ArrayList<>();
        Scan unnamed = within(new Scan(BY_NAME).equal(FLEET, fleet).missing(NAME), SERIAL, part);
        // The name is the serial: one of both decides, and that is the name.
        after.ifPresent(last -> {
            int order = Relation.order(last.serial(), last.name());
            boolean passed = sort.descending() ? order <= 0 : order >= 0;
            String relation = behind(sort) + (passed ? "" : "=");
            unnamed.where(SERIAL, relation, last.name());
        });
        scans.add(unnamed.by(SERIAL));
        after.ifPresent(last -> scans.add(behind(
                within(new Scan(BY_NAME).equal(FLEET, fleet).equal(NAME, last.name()), NAME, part),
                SERIAL,
                sort,
                Optional.of(last.serial()))));
        Scan named = within(new Scan(BY_NAME).equal(FLEET, fleet), NAME, part);
        if (after.isEmpty() && part.isEmpty()) {
            // Leaves out those without a name, which are first.
            named.where(NAME, ">=", "");
        }
        scans.add(behind(named, NAME, sort, after.map(Entry::name)).by(SERIAL));
        return scans;
    }
}
