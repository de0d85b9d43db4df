// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.approval.Approval;
import io.muster.approval.Approvals;
import io.muster.audit.AuditEvent;
import io.muster.verification.SerialForm;
import io.muster.verification.list.SerialList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises of filters of the lists that have one order, on every database. */
interface ListSearchContract {

    Approvals.Filter WAITING = new Approvals.Filter(Approval.State.WAITING, Optional.empty(), Optional.empty());
    SerialList.Filter ANY = new SerialList.Filter(Optional.empty(), Optional.empty());

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Expression filter(Schema schema, String text) {
        try {
            return FilterParser.parse(text.replace('\'', '"'), schema);
        } catch (FilterException e) {
            throw new AssertionError(text, e);
        }
    }

    private static String rows(int number, Function<Integer, String> row) {
        return IntStream.range(0, number).mapToObj(row::apply).collect(Collectors.joining(", "));
    }

    private static <T> List<T> all(Function<Optional<String>, Sifted<T>> page) {
        List<T> all = new ArrayList<>();
        Optional<String> next = Optional.empty();
        do {
            Sifted<T> some = page.apply(next);
            assertThat(some.complete()).isTrue();
            assertThat(some.entries()).hasSizeLessThanOrEqualTo(3);
            all.addAll(some.entries());
            next = some.next();
        } while (next.isPresent());
        return all;
    }

    private static String id(int number) {
        return "X'0197" + "%028x".formatted(number) + "'";
    }

    @Test
    default void serialsAreFiltered() {
        TestRegistry registry = fresh();
        try (TestNode node = registry.start()) {
            registry.execute(
                    "INSERT INTO expected_serial (fleet, serial, state, name, lot, tags, attributes, reason) VALUES "
                            + rows(
                                    60,
                                    n ->
                                            "('default', 'SN-%02d', '%s', %s, 'L%d', '{\"hall\":\"%s\"}', '{\"n\":%d}', %s)"
                                                    .formatted(
                                                            n,
                                                            n % 10 == 3 ? "B" : "E",
                                                            n % 2 == 0 ? "'Pump'" : "NULL",
                                                            n % 3,
                                                            n % 4 == 0 ? "A" : "B",
                                                            n,
                                                            n % 10 == 3 ? "'stolen'" : "NULL")));
            registry.execute("INSERT INTO device (id, fleet, serial, state, created_at) VALUES "
                    + rows(5, n -> "(" + id(n) + ", 'default', 'SN-%02d', 'A', 1)".formatted(n)));
            Map<String, List<Integer>> expected = Map.ofEntries(
                    Map.entry("serial sw 'SN-1'", range(10, 20)),
                    Map.entry("serial sw 'SN-1' and serial gt 'SN-17'", List.of(18, 19)),
                    Map.entry("serial eq 'SN-07'", List.of(7)),
                    Map.entry("serial eq 'sn-07'", List.of(7)),
                    Map.entry("serial sw 'SN-0' and lot eq 'L0'", List.of(0, 3, 6, 9)),
                    Map.entry("serial ew '5' and name pr", List.of()),
                    Map.entry(
                            "serial ew '5' and not (name pr) and tags.hall eq 'B' and attributes.n lt 30",
                            List.of(5, 15, 25)),
                    Map.entry("state eq 'registered'", List.of(0, 1, 2, 4)),
                    Map.entry("state eq 'blocked' and reason co 'ole'", List.of(3, 13, 23, 33, 43, 53)),
                    Map.entry("deviceId pr and lot eq 'L1'", List.of(1, 4)),
                    Map.entry("serial sw 'SN-6' or serial sw 'T'", List.of()));
            expected.forEach((text, numbers) -> assertThat(all(next -> node.part(ListSearch.class)
                            .serials(
                                    "default",
                                    filter(ListSearch.serials(SerialForm.of(List.of("upper"), false)), text),
                                    ANY,
                                    next,
                                    3)))
                    .as(text)
                    .extracting(
                            entry -> Integer.parseInt(entry.serial().serial().substring(3)))
                    .isEqualTo(numbers));
        }
    }

    private static List<Integer> range(int from, int to) {
        return IntStream.range(from, to).boxed().toList();
    }

    @Test
    default void approvalsAreFiltered() {
        TestRegistry registry = fresh();
        try (TestNode node = registry.start()) {
            registry.execute(
                    "INSERT INTO approval (id, fleet, serial, binding, state, origin, lot, tries, first_seen, expires_at, version)"
                            + " VALUES "
                            + rows(
                                    30,
                                    n ->
                                            "(%s, 'default', 'SN-%02d', '', '%s', '192.0.2.%d', 'L%d', %d, %d, 9000000000000, 0)"
                                                    .formatted(
                                                            id(n),
                                                            n,
                                                            n % 5 == 0 ? "R" : "W",
                                                            n % 2,
                                                            n % 3,
                                                            n,
                                                            n * 1000L)));
            Map<String, List<Integer>> expected = Map.of(
                    "serial sw 'SN-1'", List.of(11, 12, 13, 14, 16, 17, 18, 19),
                    "tries gt 26", List.of(27, 28, 29),
                    "origin eq '192.0.2.1' and lot eq 'L0'", List.of(3, 9, 21, 27),
                    "lot eq 'L2' and not (origin eq '192.0.2.1')", List.of(2, 8, 14, 26),
                    "firstSeen le '1970-01-01T00:00:02Z'", List.of(1, 2),
                    "state eq 'rejected'", List.of(),
                    "operator pr", List.of());
            expected.forEach((text, numbers) -> assertThat(all(next -> node.part(ListSearch.class)
                            .approvals(
                                    "default", filter(ListSearch.approvals(SerialForm.EXACT), text), WAITING, next, 3)))
                    .as(text)
                    .extracting(one -> Integer.parseInt(one.serial().substring(3)))
                    .isEqualTo(numbers));
        }
    }

    @Test
    default void eventsAreFiltered() {
        TestRegistry registry = fresh();
        try (TestNode node = registry.start()) {
            registry.execute("INSERT INTO audit_event (id, type, fleet, serial, device_id, who, detail) VALUES "
                    + rows(30, n -> "(%s, '%s', 'default', 'SN-%02d', %s, 'olga', 'd%d')"
                            .formatted(
                                    id(n),
                                    n % 5 == 0 ? "device-disabled" : "refused",
                                    n,
                                    n % 10 == 0 ? id(n) : "NULL",
                                    n)));
            Map<String, List<Integer>> expected = Map.of(
                    "type eq 'device-disabled' and who eq 'olga'",
                    List.of(25, 20, 15, 10, 5, 0),
                    "serial eq 'SN-07'",
                    List.of(7),
                    "deviceId eq '0197" + "%028x".formatted(20) + "'",
                    List.of(20),
                    "detail sw 'd1' and not (type eq 'device-disabled') and fleet eq 'default' and serial gt 'SN-15'",
                    List.of(19, 18, 17, 16),
                    "at lt '2000-01-01T00:00:00Z'",
                    List.of());
            expected.forEach((text, numbers) -> assertThat(all(next -> node.part(ListSearch.class)
                            .events(Optional.of(filter(ListSearch.events(), text)), fleet -> true, next, 3)))
                    .as(text)
                    .extracting(AuditEvent::serial)
                    .extracting(serial -> Integer.parseInt(serial.substring(3)))
                    .isEqualTo(numbers));
        }
    }
}
