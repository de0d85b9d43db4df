// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.approval.Approval;
import io.muster.approval.Approvals;
import io.muster.search.DeviceFields;
import io.muster.search.DeviceSearch;
import io.muster.search.Expression;
import io.muster.search.FilterException;
import io.muster.search.FilterParser;
import io.muster.search.ListSearch;
import io.muster.search.Schema;
import io.muster.search.Sort;
import io.muster.search.Typed;
import io.muster.verification.SerialForm;
import io.muster.verification.list.SerialList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * How many rows MariaDB reads for one page of a search, by its own counters: never more than the bound and what the
 * page itself shows, whatever the filter and the number of devices.
 */
class SearchReadsTest {

    private static final int DEVICES = 300_000;
    private static final int LIMIT = 100;

    /** The tags of the devices of a page. */
    private static final int BOUND = DeviceSearch.MAX_READ + 6 * LIMIT;

    /** How many rows a page reads if its index finds it at once. */
    private static final int DRIVEN = 12 * LIMIT;

    private static final String ID = "UNHEX(CONCAT('019', LPAD(HEX(seq), 29, '0')))";
    private static final String HANDLERS = "SELECT SUM(variable_value) FROM information_schema.global_status"
            + " WHERE variable_name LIKE 'HANDLER_READ%'";

    private static final TestRegistry SETUP = TestRegistry.freshOnMariaDb();
    private static TestNode registry;

    /** 1 of 3 has a name, 1 of 20 is of the other fleet, 1 of 1,000 has an owner. */
    @BeforeAll
    static void fill() {
        registry = SETUP.start();
        String of = " FROM seq_1_to_" + DEVICES;
        SETUP.execute("INSERT INTO device (id, fleet, serial, state, name, attributes, created_at) SELECT " + ID
                + ", IF(seq % 20 = 0, 'other', 'default'), CONCAT('SN-', LPAD((seq * 7919) % " + DEVICES
                + ", 8, '0'), '-', seq % 7),"
                + " CASE seq % 1000 WHEN 7 THEN 'D' WHEN 8 THEN 'R' ELSE 'A' END,"
                + " CASE seq % 3 WHEN 1 THEN CONCAT('Pump ', LPAD(seq DIV 3, 8, '0')) WHEN 2 THEN 'Sensor' END,"
                + " IF(seq = 299999, '{\"n\":1}', NULL), 1700000000000 + seq" + of);
        SETUP.execute("INSERT INTO device_tag SELECT " + ID
                + ", 'lot', IF(seq <= 200000, 'BIG', CONCAT('L', seq DIV 1000))" + of);
        SETUP.execute("INSERT INTO device_tag SELECT " + ID + ", 'owner', CONCAT('u:', seq DIV 5000)" + of
                + " WHERE seq % 1000 = 1");
        SETUP.execute(
                "INSERT INTO expected_serial (fleet, serial, state, lot) SELECT 'default', CONCAT('SN-', LPAD(seq, 8, '0')),"
                        + " IF(seq % 500 = 1, 'B', 'E'), IF(seq <= 50000, 'BIG', CONCAT('L', seq DIV 1000)) FROM seq_1_to_100000");
        SETUP.execute("INSERT INTO audit_event (id, type, who) SELECT " + ID + ", 'refused', 'w' FROM seq_1_to_50000");
        SETUP.execute(
                "INSERT INTO approval (id, fleet, serial, binding, state, tries, expires_at, version, lot) SELECT " + ID
                        + ", 'default', CONCAT('SN-', seq), '', 'W', 1, 9000000000000, 0, 'L' FROM seq_1_to_20000");
        SETUP.execute(
                "INSERT INTO approval (id, fleet, serial, binding, state, tries, expires_at, version) SELECT " + ID
                        + ", CONCAT('decided', seq % 10), CONCAT('SN-', seq), '', 'R', 1, 9000000000000, 0 FROM seq_20001_to_40000");
    }

    @AfterAll
    static void close() {
        registry.close();
    }

    private static DeviceSearch.Wanted wanted(String filter, String typed, String sort) {
        try {
            return new DeviceSearch.Wanted(
                    "default",
                    filter.isEmpty()
                            ? Expression.all()
                            : FilterParser.parse(filter.replace('\'', '"'), new DeviceFields(SerialForm.EXACT)),
                    typed.isEmpty() ? Optional.empty() : Typed.of(typed, SerialForm.EXACT),
                    sort.isEmpty() ? Optional.empty() : Sort.of(sort));
        } catch (FilterException e) {
            throw new AssertionError(filter, e);
        }
    }

    private static DeviceSearch.Page page(DeviceSearch.Wanted wanted, Optional<String> after) {
        return registry.part(DeviceSearch.class).list(wanted, after, LIMIT);
    }

    private static long reads(DeviceSearch.Wanted wanted, Optional<String> after, long bound) {
        return reads(() -> page(wanted, after).devices().size(), bound);
    }

    private static long reads(IntSupplier page) {
        return reads(page, BOUND);
    }

    /** Returns how many rows a page reads. If they are too many, it reads again, because a node reads a few by itself. */
    private static long reads(IntSupplier page, long bound) {
        long once = readsOnce(page);
        return once <= bound ? once : Math.min(once, readsOnce(page));
    }

    private static long readsOnce(IntSupplier page) {
        long before = SETUP.number(HANDLERS);
        long counting = SETUP.number(HANDLERS) - before;
        assertThat(page.getAsInt()).isLessThanOrEqualTo(LIMIT);
        return SETUP.number(HANDLERS) - before - 2 * counting;
    }

    private static final List<String> SORTS =
            List.of("", "createdAt", "-createdAt", "serial", "-serial", "name", "-name");

    @Test
    void noPageOfAnySearchReadsMoreThanTheBound() {
        List<String> filters = List.of(
                "",
                "serial eq 'SN-00000077-1'",
                "serial sw 'SN-0001'",
                "serial sw 'SN-00012'",
                "name sw 'Pump 0001'",
                "name eq 'Sensor'",
                "name eq 'nobody'",
                "serial co '77'",
                "attributes.n eq 1",
                "not (lot pr)",
                "lot eq 'BIG'",
                "lot eq 'BIG' and state eq 'disabled'",
                "lot sw 'L'",
                "owner eq 'u:7'",
                "owner sw 'u:' and lot pr",
                "owner sw 'u:1' or serial eq 'SN-00000077-1'",
                "state eq 'disabled'",
                "state eq 'active' and name ew 'x'",
                "state eq 'pending'",
                "deviceId sw '019'",
                "deviceId sw '0190000000000000000000000001e'",
                "createdAt lt '2020-01-01T00:00:00Z'",
                "serial eq 'a' or lot eq 'BIG' or name eq 'Sensor'",
                String.join(
                        " and ",
                        Stream.iterate(0, n -> n < 20, n -> n + 1)
                                .map(n -> "tags.t" + n + " eq 'x'")
                                .toList()),
                String.join(
                        " or ",
                        Stream.iterate(0, n -> n < 20, n -> n + 1)
                                .map(n -> "tags.t" + n + " ne 'x'")
                                .toList()),
                "not ("
                        + String.join(
                                " or ",
                                Stream.iterate(0, n -> n < 20, n -> n + 1)
                                        .map(n -> "tags.t" + n + " ne 'x'")
                                        .toList())
                        + ")");
        SoftAssertions softly = new SoftAssertions();
        for (String filter : filters) {
            for (String sort : SORTS) {
                DeviceSearch.Wanted wanted = wanted(filter, "", sort);
                Optional<String> next = Optional.empty();
                for (int number = 0; number < 3; number++) {
                    DeviceSearch.Page[] page = new DeviceSearch.Page[1];
                    Optional<String> after = next;
                    softly.assertThat(reads(() -> {
                                page[0] = page(wanted, after);
                                return page[0].devices().size();
                            }))
                            .as("page " + number + " of " + filter + " sorted by " + sort)
                            .isLessThanOrEqualTo(BOUND);
                    next = page[0].next();
                    if (next.isEmpty()) {
                        break;
                    }
                }
            }
        }
        for (String typed :
                List.of("SN-", "SN-00012", "Pump", "Sensor", "BIG", "L", "u:1", "01900000000000000000000000", "none")) {
            for (String filter : List.of("", "state eq 'disabled'", "tags.a eq 'x' or tags.b eq 'x' or lot sw 'L'")) {
                DeviceSearch.Wanted wanted = wanted(filter, typed, "");
                softly.assertThat(reads(wanted, Optional.empty(), BOUND))
                        .as("page of " + typed + " and " + filter)
                        .isLessThanOrEqualTo(BOUND);
            }
        }
        softly.assertAll();
    }

    @Test
    void pageThatAnIndexFindsReadsItsOwnRowsWhereverItIs() {
        SoftAssertions softly = new SoftAssertions();
        for (String filter : List.of(
                "",
                "serial sw 'SN-0001'",
                "name sw 'Pump 0001'",
                "name eq 'Sensor'",
                "lot eq 'BIG'",
                "state eq 'active'")) {
            for (String sort : SORTS) {
                DeviceSearch.Wanted natural = wanted(filter, "", "");
                DeviceSearch.Wanted wanted = wanted(filter, "", sort);
                boolean driven = filter.isEmpty() || isSameKey(natural, sort);
                if (!driven) {
                    continue;
                }
                Optional<String> next = Optional.empty();
                for (int number = 0; number < 40; number++) {
                    next = page(wanted, next).next();
                }
                softly.assertThat(reads(wanted, next, DRIVEN))
                        .as("a late page of " + filter + " sorted by " + sort)
                        .isLessThanOrEqualTo(DRIVEN);
                softly.assertThat(page(wanted, next).devices()).hasSize(LIMIT);
            }
        }
        softly.assertAll();
    }

    private static Expression of(Schema schema, String filter) {
        try {
            return FilterParser.parse(filter.replace('\'', '"'), schema);
        } catch (FilterException e) {
            throw new AssertionError(filter, e);
        }
    }

    @Test
    void pagesOfOtherListsReadNoMoreThanTheBound() {
        ListSearch search = registry.part(ListSearch.class);
        Schema serials = ListSearch.serials(SerialForm.EXACT);
        SerialList.Filter any = new SerialList.Filter(Optional.empty(), Optional.empty());
        SoftAssertions softly = new SoftAssertions();
        for (String filter : List.of(
                "serial sw 'SN-0005'",
                "serial co '77'",
                "lot eq 'BIG' and serial co '77777'",
                "state eq 'blocked' and serial co 'x'",
                "state eq 'registered'",
                "tags.x pr",
                "not (lot pr)")) {
            softly.assertThat(reads(() -> search.serials("default", of(serials, filter), any, Optional.empty(), LIMIT)
                            .entries()
                            .size()))
                    .as("serials " + filter)
                    .isLessThanOrEqualTo(BOUND);
        }
        softly.assertThat(reads(() -> search.serials(
                                "default", of(serials, "serial sw 'SN-0005'"), any, Optional.empty(), LIMIT)
                        .entries()
                        .size()))
                .isLessThanOrEqualTo(4 * LIMIT);
        softly.assertThat(reads(() -> search.events(
                                Optional.of(of(ListSearch.events(), "who eq 'nobody'")),
                                fleet -> true,
                                Optional.empty(),
                                LIMIT)
                        .entries()
                        .size()))
                .as("events")
                .isLessThanOrEqualTo(BOUND);
        softly.assertThat(reads(() -> search.events(Optional.empty(), fleet -> false, Optional.empty(), LIMIT)
                        .entries()
                        .size()))
                .as("events of another fleet")
                .isLessThanOrEqualTo(BOUND);
        softly.assertThat(reads(() -> search.approvals(
                                "default",
                                of(ListSearch.approvals(SerialForm.EXACT), "serial co 'x'"),
                                new Approvals.Filter(Approval.State.WAITING, Optional.empty(), Optional.empty()),
                                Optional.empty(),
                                LIMIT)
                        .entries()
                        .size()))
                .as("approvals")
                .isLessThanOrEqualTo(BOUND);
        softly.assertAll();
    }

    @Test
    void candidatesThatWaitAreCountedWithoutThoseThatAreDecided() {
        Approvals approvals = registry.part(Approvals.class);

        assertThat(approvals.waiting()).isEqualTo(Map.of("default", 20_000L));
        assertThat(reads(() -> approvals.waiting().size(), 20_200)).isLessThanOrEqualTo(20_200);
    }

    private static boolean isSameKey(DeviceSearch.Wanted natural, String sort) {
        return sort.isEmpty()
                || Sort.of(sort)
                        .map(Sort::key)
                        .equals(Optional.of(natural.order().key()));
    }

    @Test
    void pagesThatReadTheBoundSaySoAndComeToTheEnd() {
        DeviceSearch.Wanted wanted = wanted("attributes.n eq 1", "", "");
        Set<String> found = new HashSet<>();
        Optional<String> next = Optional.empty();
        int incomplete = 0;
        do {
            DeviceSearch.Page page = page(wanted, next);
            page.devices().forEach(device -> found.add(device.serial().value()));
            next = page.next();
            assertThat(page.complete()).isEqualTo(next.isEmpty());
            incomplete += page.complete() ? 0 : 1;
        } while (next.isPresent());

        assertThat(found).hasSize(1);
        assertThat(incomplete).isBetween(DEVICES / 10_000, DEVICES / 1000);
    }

    @Test
    void whatIsTypedFindsTheFirstOfVeryMany() {
        assertThat(page(wanted("", "SN-", ""), Optional.empty()).complete()).isFalse();
        assertThat(page(wanted("", "SN-", ""), Optional.empty()).devices()).hasSize(LIMIT);
        assertThat(page(wanted("", "SN-0001234", ""), Optional.empty())).satisfies(page -> {
            assertThat(page.complete()).isTrue();
            assertThat(page.devices())
                    .isNotEmpty()
                    .allMatch(device -> device.serial().value().startsWith("SN-0001234"))
                    .isSortedAccordingTo(
                            Comparator.comparing(device -> device.id().value()));
        });
    }

    @Test
    void fewAreSortedByAnythingAtOnce() {
        for (String sort : SORTS) {
            DeviceSearch.Page page = page(wanted("owner eq 'u:7'", "", sort), Optional.empty());

            assertThat(page.devices()).hasSize(5);
            assertThat(page.complete()).isTrue();
            assertThat(page.next()).isEmpty();
        }
    }
}
