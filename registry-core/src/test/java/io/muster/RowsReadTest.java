// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.ownership.Claims;
import io.muster.persistence.Ids;
import io.muster.spi.DeviceId;
import io.muster.user.User;
import io.muster.verification.list.Lots;
import io.muster.verification.list.SerialList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * How many rows MariaDB reads for one page of each list, by its own counters. It reads as many for the last page as for
 * the first, and no more than the page needs, whatever the number of rows.
 */
class RowsReadTest {

    private static final int DEVICES = 200_000;
    private static final int LIMIT = 100;

    /** The devices of a page with their tags, found in up to four ranges. */
    private static final int PAGE = 12 * LIMIT;

    /** For a filter that the index does not cover: an index entry, its copy and its row. */
    private static final int LOOKED_AT = 3 * 10_000 + PAGE;

    // 1 of 20 is of the other fleet, 1 of 1,000 disabled, 1 of 1,000 retired; the first half is of one lot.
    private static final String ID = "UNHEX(CONCAT('019', LPAD(HEX(%s), 29, '0')))";
    private static final String FLEET = "IF(seq % 20 = 0, 'other', 'default')";
    private static final String LOT = "IF(seq <= " + DEVICES / 2 + ", 'BIG', CONCAT('L', seq DIV 1000))";
    private static final String SERIAL = "CONCAT('SN-', LPAD(seq, 8, '0'))";
    private static final String HANDLERS = "SELECT SUM(variable_value) FROM information_schema.global_status"
            + " WHERE variable_name LIKE 'HANDLER_READ%'";

    private static final TestRegistry SETUP = TestRegistry.freshOnMariaDb();
    private static TestNode registry;

    @BeforeAll
    static void fill() {
        registry = SETUP.start();
        String of = " FROM seq_1_to_" + DEVICES;
        String id = ID.formatted("seq");
        SETUP.execute("INSERT INTO device (id, fleet, serial, state, created_at) SELECT " + id + ", " + FLEET + ", "
                + SERIAL + ", CASE seq % 1000 WHEN 7 THEN 'D' WHEN 8 THEN 'R' ELSE 'A' END, 1700000000000" + of);
        SETUP.execute("INSERT INTO device_tag SELECT " + id + ", 'lot', " + LOT + of);
        SETUP.execute("INSERT INTO device_tag SELECT " + id + ", 'colour', 'red' FROM seq_1_to_" + DEVICES
                + " WHERE seq % 2 = 0");
        SETUP.execute("INSERT INTO expected_serial (fleet, serial, state, lot) SELECT " + FLEET + ", " + SERIAL
                + ", IF(seq % 500 = 1, 'B', 'E'), " + LOT + of);
        SETUP.execute("INSERT INTO lot (fleet, name, paused, imported) SELECT fleet, lot, FALSE, COUNT(*)"
                + " FROM expected_serial GROUP BY fleet, lot");
        SETUP.execute(
                "INSERT INTO lot (fleet, name, paused, imported) SELECT 'default', CONCAT('M', LPAD(seq, 6, '0')),"
                        + " FALSE, 0 FROM seq_1_to_20000");
        SETUP.execute("INSERT INTO allowance (id, fleet, serial, reason, operator, not_before, not_after) SELECT " + id
                + ", " + FLEET + ", IF(seq % 2 = 0, 'SN-MANY', " + SERIAL + "), 'r', 'o', 0, 1 FROM seq_1_to_20000");
        SETUP.execute("INSERT INTO enrolment_key (id, fleet, sealed_key, uses, revoked_at, created_at) SELECT"
                + " CONCAT('k', LPAD(seq, 8, '0')), " + FLEET + ", 'x', 0, 1, 1 FROM seq_1_to_20000");
        SETUP.execute("INSERT INTO audit_event (id, type, who) SELECT " + id + ", 'refused', 'w' FROM seq_1_to_20000");
        SETUP.execute("INSERT INTO operator (id, name, token_hash, rights, state, created_at) SELECT " + id
                + ", CONCAT('o', seq), UNHEX(LPAD(HEX(seq), 64, '0')), '', 'R', 1 FROM seq_1_to_20000");
        SETUP.execute("INSERT INTO owned_serial (id, fleet, serial, provider, issuer, subject, group_name, user_key,"
                + " group_key, claimed_at) SELECT " + id + ", " + FLEET + ", " + SERIAL + ", 'customers', 'i', 'alice',"
                + " IF(seq % 2 = 0, 'crowd', NULL), IF(seq % 2 = 0, NULL, UNHEX('" + Ids.hex(ALICE.key()) + "')),"
                + " IF(seq % 2 = 0, UNHEX('" + Ids.hex(ALICE.groupKey("crowd")) + "'), NULL), 1 FROM seq_1_to_40000");
    }

    private static final User ALICE = new User("customers", "i", "alice", Optional.empty(), Set.of("crowd", "nobodys"));

    @AfterAll
    static void close() {
        registry.close();
    }

    private static String id(long number) {
        return "019" + "0".repeat(29 - Long.toHexString(number).length()) + Long.toHexString(number);
    }

    private static String serial(long number) {
        return "SN-" + "0".repeat(8 - Long.toString(number).length()) + number;
    }

    /** Returns how many rows a page reads: the least of several runs, because a node reads a few by itself. */
    private static long reads(LongSupplier page) {
        long least = Long.MAX_VALUE;
        // Not counted: statements that are prepared and rows that are remembered first.
        long unused = page.getAsLong();
        for (int time = 0; time < 3; time++) {
            long before = SETUP.number(HANDLERS);
            long counting = SETUP.number(HANDLERS) - before;
            unused = page.getAsLong();
            least = Math.min(least, SETUP.number(HANDLERS) - before - 2 * counting);
        }
        return least;
    }

    private static void assertReads(SoftAssertions softly, String what, long bound, LongSupplier page) {
        softly.assertThat(reads(page)).as(what).isLessThanOrEqualTo(bound);
    }

    private static final Map<String, Optional<String>> CURSORS = new LinkedHashMap<>();

    static {
        CURSORS.put("first", Optional.empty());
        CURSORS.put("middle", Optional.of(id(DEVICES / 2 - 5000)));
        CURSORS.put("last", Optional.of(id(DEVICES - 50)));
    }

    @Test
    void pagesOfDevicesReadTheirOwnRowsWhateverFiltersThereAre() {
        Map<String, Optional<Map.Entry<String, String>>> tags = new LinkedHashMap<>();
        tags.put("", Optional.empty());
        tags.put(" tag=lot:BIG", Optional.of(Map.entry("lot", "BIG")));
        tags.put(" tag=lot:L150", Optional.of(Map.entry("lot", "L150")));
        tags.put(" tag=colour:red", Optional.of(Map.entry("colour", "red")));
        tags.put(" tag=lot:none", Optional.of(Map.entry("lot", "none")));
        tags.put(" tag=serial:" + serial(77), Optional.of(Map.entry("serial", serial(77))));
        SoftAssertions softly = new SoftAssertions();
        for (Set<String> fleets : List.of(Set.of("default", "other"), Set.of("default"), Set.of("other"))) {
            for (Optional<DeviceState> state : List.of(
                    Optional.<DeviceState>empty(),
                    Optional.of(DeviceState.ACTIVE),
                    Optional.of(DeviceState.DISABLED),
                    Optional.of(DeviceState.PENDING))) {
                for (Optional<String> serial : List.of(Optional.<String>empty(), Optional.of(serial(77)))) {
                    tags.forEach((tag, filter) -> CURSORS.forEach((page, cursor) -> {
                        boolean looks = filter.isPresent() && serial.isEmpty();
                        assertReads(
                                softly,
                                page + " of devices"
                                        + (fleets.size() == 1
                                                ? " fleet=" + fleets.iterator().next()
                                                : "")
                                        + state.map(one -> " state=" + one.word())
                                                .orElse("")
                                        + serial.map(one -> " serial=" + one).orElse("") + tag,
                                looks ? LOOKED_AT : PAGE,
                                () -> registry.devices()
                                        .list(
                                                new DeviceStore.Filter(fleets, serial, filter, state),
                                                cursor.map(DeviceId::new),
                                                LIMIT)
                                        .devices()
                                        .size());
                    }));
                }
            }
        }
        softly.assertAll();
    }

    @Test
    void pagesThatLookAtManyRowsComeToTheEndAndLeaveNothingOut() {
        DeviceStore.Filter filter = new DeviceStore.Filter(
                Set.of("default"),
                Optional.empty(),
                Optional.of(Map.entry("lot", "BIG")),
                Optional.of(DeviceState.DISABLED));
        int found = 0;
        int pages = 0;
        Optional<DeviceId> next = Optional.empty();
        do {
            DeviceStore.Page page = registry.devices().list(filter, next, LIMIT);
            found += page.devices().size();
            next = page.next();
            pages++;
        } while (next.isPresent());

        assertThat(found).isEqualTo(DEVICES / 2 / 1000);
        assertThat(pages).isBetween(DEVICES / 2 / 10_000, DEVICES / 2 / 10_000 + 2);
    }

    @Test
    void pagesOfSerialsReadTheirOwnRowsWhateverFiltersThereAre() {
        SoftAssertions softly = new SoftAssertions();
        Map<String, Optional<String>> cursors = new LinkedHashMap<>();
        cursors.put("first", Optional.empty());
        cursors.put("middle", Optional.of(serial(DEVICES / 2 - 5000)));
        cursors.put("last", Optional.of(serial(DEVICES - 50)));
        for (String fleet : List.of("default", "other")) {
            for (Optional<String> lot :
                    List.of(Optional.<String>empty(), Optional.of("BIG"), Optional.of("L150"), Optional.of("none"))) {
                for (Optional<SerialList.State> state : List.of(
                        Optional.<SerialList.State>empty(),
                        Optional.of(SerialList.State.EXPECTED),
                        Optional.of(SerialList.State.REGISTERED),
                        Optional.of(SerialList.State.BLOCKED))) {
                    cursors.forEach((page, cursor) -> assertReads(
                            softly,
                            page + " of serials of " + fleet
                                    + lot.map(one -> " lot=" + one).orElse("")
                                    + state.map(one -> " state=" + one.word()).orElse(""),
                            state.isPresent() ? LOOKED_AT : 3 * LIMIT,
                            () -> registry.serialList()
                                    .list(fleet, new SerialList.Filter(state, lot), cursor, LIMIT)
                                    .entries()
                                    .size()));
                }
            }
        }
        softly.assertAll();
    }

    @Test
    void pagesOfEverythingElseReadTheirOwnRows() {
        SoftAssertions softly = new SoftAssertions();
        int all = 20_000;
        Map<String, Optional<Integer>> places = new LinkedHashMap<>();
        places.put("first", Optional.empty());
        places.put("middle", Optional.of(all / 2));
        places.put("last", Optional.of(all - 50));
        places.forEach((page, place) -> {
            Optional<String> id = place.map(RowsReadTest::id);
            assertReads(softly, page + " of lots", 2 * LIMIT, () -> registry.lots()
                    .list("default", place.map(number -> "M" + String.format("%06d", number)), LIMIT)
                    .size());
            for (Optional<String> serial : List.of(Optional.<String>empty(), Optional.of("SN-MANY"))) {
                for (String fleet : List.of("default", "other")) {
                    assertReads(
                            softly,
                            page + " of allowances of " + fleet
                                    + serial.map(one -> " serial=" + one).orElse(""),
                            2 * LIMIT,
                            () -> registry.allowances()
                                    .list(fleet, serial, id, LIMIT)
                                    .size());
                }
            }
            for (String fleet : List.of("default", "other")) {
                assertReads(softly, page + " of enrolment keys of " + fleet, 2 * LIMIT, () -> registry.enrolmentKeys()
                        .list(fleet, place.map(number -> "k" + String.format("%08d", number)), LIMIT)
                        .size());
            }
            assertReads(softly, page + " of events", 2 * LIMIT, () -> registry.audit()
                    .list(place.map(number -> id(all + 1 - number)), LIMIT)
                    .size());
            // An entry of the index and its copy, the device, and the last use of its credentials.
            assertReads(softly, page + " of a user's devices", 7 * LIMIT, () -> registry.part(Claims.class)
                    .list(ALICE, id, LIMIT)
                    .devices()
                    .size());
            assertReads(softly, page + " of a group's devices", 7 * LIMIT, () -> registry.part(Claims.class)
                    .list(ALICE, Optional.of(id.orElse("0".repeat(32)) + Ids.hex(ALICE.groupKey("crowd"))), LIMIT)
                    .devices()
                    .size());
            assertReads(softly, page + " of operators", 2 * LIMIT, () -> registry.operators()
                    .list(id, LIMIT)
                    .size());
        });
        softly.assertAll();
    }

    @Test
    void whatIsCountedIsCountedAsFarAsTheBoundGoes() {
        SoftAssertions softly = new SoftAssertions();
        assertReads(softly, "count of a fleet", 2 * LOOKED_AT, () -> registry.devices()
                .count("default", Optional.empty())
                .number());
        assertReads(softly, "count of a lot", 2 * LOOKED_AT, () -> registry.devices()
                .count("default", Optional.of("BIG"))
                .number());
        assertReads(softly, "progress of a lot", 4 * Lots.MAX_COUNTED, () -> registry.lots()
                .progress("default", "BIG")
                .counted());
        softly.assertAll();
        assertThat(registry.devices().count("default", Optional.empty()))
                .isEqualTo(new DeviceStore.Count(10_000, false));
        assertThat(registry.devices().count("default", Optional.of("BIG")))
                .isEqualTo(new DeviceStore.Count(9_500, false));
        assertThat(registry.devices().count("other", Optional.of("L150"))).isEqualTo(new DeviceStore.Count(50, true));
        assertThat(registry.devices().count("default", Optional.of("none"))).isEqualTo(new DeviceStore.Count(0, true));
        assertThat(registry.lots().progress("default", "BIG")).isEqualTo(new Lots.Progress(50_000, 50_000, 106));
    }
}
