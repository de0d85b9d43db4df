// SPDX-License-Identifier: Apache-2.0
package io.muster.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.approval.Approvals;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The promises of the statistics, on every database. */
interface StatisticsContract {

    String FLEET = "default";

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static Map<Instant, Long> read(TestNode node, Kind kind) {
        return node
                .part(Statistics.class)
                .read(FLEET, kind, Instant.EPOCH, node.clock().instant().plus(Duration.ofHours(1)), 1000)
                .stream()
                .collect(Collectors.toMap(Statistics.Count::hour, Statistics.Count::amount));
    }

    private static void count(TestNode node, Kind kind, int times) {
        for (int i = 0; i < times; i++) {
            node.part(Statistics.class).count(FLEET, kind);
        }
    }

    private static void flush(TestNode... nodes) {
        for (TestNode node : nodes) {
            node.part(Statistics.class).flush();
        }
    }

    private static Instant hour(TestClock clock) {
        return clock.instant().truncatedTo(ChronoUnit.HOURS);
    }

    @Test
    default void nodesAddUpHourByHourAndWritingTwiceChangesNothing() {
        TestClock clock = new TestClock();
        TestRegistry test = fresh().with(clock);
        Instant first = hour(clock);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            count(one, Kind.TOKEN, 3);
            count(two, Kind.TOKEN, 4);
            flush(one, two, one);
            count(one, Kind.TOKEN, 2);
            flush(one);
            clock.pass(Duration.ofHours(1));
            count(one, Kind.TOKEN, 1);
            flush(one, two);
            assertThat(read(two, Kind.TOKEN)).isEqualTo(Map.of(first, 9L, hour(clock), 1L));
            assertThat(read(two, Kind.NEW)).isEmpty();
            assertThat(one.part(Statistics.class)
                            .read(
                                    FLEET,
                                    Kind.TOKEN,
                                    hour(clock),
                                    clock.instant().plusMillis(1),
                                    1000))
                    .extracting(Statistics.Count::amount)
                    .containsExactly(1L);
            assertThat(one.part(Statistics.class).read(FLEET, Kind.TOKEN, Instant.EPOCH, hour(clock), 1000))
                    .extracting(Statistics.Count::amount)
                    .containsExactly(9L);
        }
    }

    @Test
    default void aStopWritesWhatWasCountedAndTheNextStartAddsToIt() {
        TestClock clock = new TestClock();
        TestRegistry test = fresh().with(clock);
        for (int i = 0; i < 2; i++) {
            try (TestNode node = test.start()) {
                count(node, Kind.TOKEN, 5);
            }
        }
        try (TestNode node = test.start()) {
            assertThat(read(node, Kind.TOKEN)).isEqualTo(Map.of(hour(clock), 10L));
        }
    }

    @Test
    default void oldHoursAreDeleted() {
        TestClock clock = new TestClock();
        TestRegistry test = fresh().with(clock).with("muster.statistics.keep", "PT24H");
        try (TestNode node = test.start()) {
            count(node, Kind.TOKEN, 1);
            flush(node);
            clock.pass(Duration.ofHours(23));
            count(node, Kind.TOKEN, 2);
            flush(node);
            assertThat(read(node, Kind.TOKEN).values()).containsExactlyInAnyOrder(1L, 2L);

            clock.pass(Duration.ofHours(2));
            flush(node);

            assertThat(read(node, Kind.TOKEN).values()).containsExactly(2L);
            assertThat(test.number("SELECT COUNT(*) FROM statistic")).isEqualTo(1);
        }
    }

    @Test
    default void registrationsAreCountedByTheirResultAndTheReasonOfARefusal() {
        TestClock clock = new TestClock();
        TestRegistry test = fresh().with(clock)
                .with("muster.fleet.default.register-again", "never")
                .with("muster.limits.refusals", "2");
        try (TestNode node = test.start()) {
            node.serialImport()
                    .csv(
                            node.fleets().get(FLEET),
                            new ByteArrayInputStream("serial\nSN-0001\n".getBytes(StandardCharsets.UTF_8)),
                            "test");
            node.registrar().register(candidate("SN-0001"));
            for (String serial : List.of("SN-0001", "SN-0404", "SN-0404")) {
                assertThatThrownBy(() -> node.registrar().register(candidate(serial)))
                        .isInstanceOf(RegistryException.class);
            }
            flush(node);

            assertThat(read(node, Kind.NEW).values()).containsExactly(1L);
            assertThat(read(node, Kind.REFUSED_REPEAT).values()).containsExactly(1L);
            assertThat(read(node, Kind.REFUSED_UNPROVED).values()).containsExactly(1L);
            assertThat(read(node, Kind.REFUSED_LIMIT).values()).containsExactly(1L);
            assertThat(node.metrics())
                    .contains("muster_refusals_total{fleet=\"default\",reason=\"repeat\"} 1")
                    .contains("muster_refusals_total{fleet=\"default\",reason=\"unproved\"} 1");
        }
    }

    private static Candidate candidate(String serial) {
        return Candidate.of(new SerialNumber(serial), FLEET, "192.0.2.7");
    }

    @Test
    default void theMostThatWaitedInAnHourIsTheLargestOfAllNodes() {
        TestClock clock = new TestClock();
        TestRegistry test = fresh().with(clock).with("muster.fleet.default.verifiers", "approval");
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            for (int i = 0; i < 3; i++) {
                one.registrar().register(RegistrationAttempt.of(candidate("SN-" + i)));
            }
            assertThat(two.part(Approvals.class).waiting()).isEqualTo(Map.of(FLEET, 3L));
            for (TestNode node : List.of(one, two)) {
                node.part(Statistics.class).sample(() -> Map.of(FLEET, 3L));
                node.part(Statistics.class).sample(() -> Map.of(FLEET, 2L));
                node.part(Statistics.class).sample(() -> {
                    throw new IllegalStateException("no database");
                });
            }
            flush(one, two);

            assertThat(read(one, Kind.APPROVALS_WAITING).values()).containsExactly(3L);
            assertThat(read(one, Kind.PENDING).values()).containsExactly(3L);
        }
    }
}
