// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.audit.Audit;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The promises of the order of events, on every database. A node seals in the background too, so no test expects that a
 * certain call makes a seal.
 */
interface SealedEventsContract {

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static void record(TestNode node, String detail) {
        node.part(Database.class).transaction(em -> {
            node.audit().record(em, Audit.Type.LOT_WRITTEN, "default", null, null, "olga", detail);
            return null;
        });
    }

    private static void seal(TestNode node, TestClock clock) {
        clock.pass(Duration.ofSeconds(10));
        while (node.part(Sealer.class).seal()) {
            assertThat(node.part(SealKeys.class).list()).isNotEmpty();
        }
    }

    private static List<SealedEvents.Placed> all(TestNode node, SealedEvents.Place after) {
        return node.part(Database.class).newest(() -> {
            List<SealedEvents.Placed> all = new ArrayList<>();
            SealedEvents.Place place = after;
            SealedEvents.Page page;
            do {
                page = node.part(SealedEvents.class).after(place);
                assertThat(page.events()).hasSizeLessThanOrEqualTo(SealedEvents.PAGE);
                all.addAll(page.events());
                place = page.end();
            } while (page.hasMore());
            return all;
        });
    }

    private static List<String> lots(List<SealedEvents.Placed> events) {
        return events.stream()
                .filter(one -> one.event().type().equals("lot-written"))
                .map(one -> one.event().detail())
                .toList();
    }

    @Test
    default void eventThatComesLateIsBehindWhatWasReadOnEveryNode() {
        TestClock clock = new TestClock();
        TestRegistry test = fresh().with(clock);
        try (TestNode node = test.start();
                TestNode other = test.start()) {
            clock.pass(Duration.ofHours(1));
            record(node, "first");
            record(node, "second");
            seal(node, clock);
            List<SealedEvents.Placed> read = all(node, SealedEvents.Place.behind(0));
            assertThat(lots(read)).containsExactlyInAnyOrder("first", "second");
            SealedEvents.Placed last = read.get(read.size() - 1);
            // As if its transaction had been committed late.
            clock.pass(Duration.ofMinutes(-30));
            record(node, "late");
            clock.pass(Duration.ofMinutes(30));
            record(other, "third");
            seal(other, clock);

            SealedEvents.Place place = other.part(Database.class)
                    .newest(() -> other.part(SealedEvents.class).place(last.word()))
                    .orElseThrow();

            assertThat(place).isEqualTo(last.place());
            assertThat(lots(all(other, place))).containsExactlyInAnyOrder("late", "third");
            assertThat(lots(all(other, SealedEvents.Place.behind(0)))).hasSize(4);
        }
    }

    @Test
    default void memoryAndDatabaseHaveTheSamePages() {
        TestClock clock = new TestClock();
        try (TestNode node = fresh().with(clock).start()) {
            SealedEvents events = node.part(SealedEvents.class);
            seal(node, clock);
            SealedEvents.Place begin = events.end();
            events.refresh();
            Ids ids = node.part(Ids.class);
            node.part(Database.class)
                    .jdbcTransaction(Sql.batch(
                            "INSERT INTO audit_event (id, type, who) VALUES (?, 'refused', '192.0.2.1')",
                            IntStream.range(0, 1200).boxed().toList(),
                            i -> new Object[] {ids.next()}));
            seal(node, clock);
            IntStream.range(0, 3).forEach(i -> events.refresh());
            List<SealedEvents.Placed> remembered = all(node, begin);
            events.forget();

            List<SealedEvents.Placed> read = all(node, begin);

            assertThat(remembered)
                    .extracting(SealedEvents.Placed::word)
                    .hasSize(1200)
                    .doesNotHaveDuplicates();
            assertThat(read)
                    .extracting(SealedEvents.Placed::word)
                    .containsExactlyElementsOf(
                            remembered.stream().map(SealedEvents.Placed::word).toList());
            assertThat(read).extracting(SealedEvents.Placed::place).isSorted();
        }
    }

    @Test
    default void wordsThatNoPlaceHasAreNone() {
        try (TestNode node = fresh().start()) {
            SealedEvents events = node.part(SealedEvents.class);
            assertThat(List.of("", "x", "1-", "-1", "1-" + "0".repeat(32), "1".repeat(19), "1-2"))
                    .allSatisfy(word -> assertThat(events.place(word)).isEmpty());
            assertThat(events.place("7")).contains(SealedEvents.Place.behind(7));
        }
    }
}
