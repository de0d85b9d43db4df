// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.operator.SerialImport;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises about the list of serials, blocks and lots on every database. */
interface SerialListContract {

    String FLEET = "default";

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private static SerialImport.Result csv(TestNode registry, String csv) {
        return registry.serialImport()
                .csv(
                        registry.fleets().find(FLEET).orElseThrow(),
                        new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)),
                        "test");
    }

    private static boolean registers(TestNode registry, String serial) {
        try {
            registry.registrar().register(Candidates.withSerial(serial));
            return true;
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.REGISTRATION_REFUSED);
            return false;
        }
    }

    private static int block(TestNode registry, String reason, String... serials) {
        return registry.serialList().block(FLEET, List.of(serials), Optional.ofNullable(reason), "test");
    }

    private static int unblock(TestNode registry, String... serials) {
        return registry.serialList().unblock(FLEET, List.of(serials), "test");
    }

    private static SerialList.Entry entry(TestNode registry, String serial) {
        return registry.serialList().find(FLEET, serial).orElseThrow();
    }

    private static Lot lot(String name, Integer expected) {
        return new Lot(name, Optional.ofNullable(expected), Optional.empty(), Optional.empty(), false);
    }

    private static long imported(TestNode registry, String lot) {
        return registry.lots().find(FLEET, lot).orElseThrow().imported();
    }

    private static List<String> events(TestNode registry) {
        return registry.audit().list(Optional.empty(), 100).stream()
                .map(event -> event.type() + " " + event.serial() + " " + event.detail())
                .toList();
    }

    @Test
    default void serialIsExpectedThenRegisteredAndBlockedWhenItIsBlocked() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial,name,lot,tags.colour,attributes.t\nSN-0001,Pump,L1,red,21\nSN-0002,,,,\n");

            assertThat(entry(registry, "SN-0001").state()).isEqualTo(SerialList.State.EXPECTED);
            String device = registry.registrar()
                    .register(Candidates.withSerial("SN-0001"))
                    .deviceId();
            SerialList.Entry registered = entry(registry, "SN-0001");
            assertThat(registered.state()).isEqualTo(SerialList.State.REGISTERED);
            assertThat(registered.deviceId()).contains(device);
            assertThat(registered.serial().name()).contains("Pump");
            assertThat(registered.serial().lot()).contains("L1");
            assertThat(registered.serial().tags()).containsEntry("colour", "red");
            assertThat(registered.serial().attributes()).containsEntry("t", "21");

            assertThat(block(registry, "stolen", "SN-0001")).isEqualTo(1);

            SerialList.Entry blocked = entry(registry, "SN-0001");
            assertThat(blocked.state()).isEqualTo(SerialList.State.BLOCKED);
            assertThat(blocked.reason()).contains("stolen");
            assertThat(blocked.deviceId()).contains(device);
            assertThat(blocked.listed()).isTrue();
            assertThat(registry.serialList().find(FLEET, "SN-0003")).isEmpty();
            assertThat(registry.serialList().find("other", "SN-0001")).isEmpty();
        }
    }

    @Test
    default void blockedSerialIsRefusedForItsReasonAndRegistersWhenUnblocked() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial\nSN-0001\n");
            block(registry, "stolen in Rotterdam", "SN-0001");

            assertThat(registers(registry, "SN-0001")).isFalse();
            registry.audit().flush();
            assertThat(events(registry))
                    .contains("serial-blocked SN-0001 stolen in Rotterdam")
                    .anyMatch(event -> event.startsWith("refused SN-0001") && event.contains("stolen in Rotterdam"));

            assertThat(unblock(registry, "SN-0001")).isEqualTo(1);

            assertThat(registers(registry, "SN-0001")).isTrue();
            assertThat(entry(registry, "SN-0001").reason()).isEmpty();
            assertThat(events(registry)).contains("serial-unblocked SN-0001 null");
        }
    }

    @Test
    default void importingABlockedSerialAgainKeepsTheBlock() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial,name\nSN-0001,old\n");
            block(registry, "stolen", "SN-0001");

            assertThat(csv(registry, "serial,name,state\nSN-0001,new,expected\n")
                            .accepted())
                    .isEqualTo(1);

            assertThat(registers(registry, "SN-0001")).isFalse();
            assertThat(entry(registry, "SN-0001").reason()).contains("stolen");
            assertThat(entry(registry, "SN-0001").serial().name()).contains("new");
        }
    }

    @Test
    default void unblockingARowThatOnlyBlocksDoesNotMakeItExpected() {
        try (TestNode registry = fresh().start()) {
            block(registry, null, "SN-0001");
            csv(registry, "serial,state,reason\nSN-0002,blocked,stolen\n");
            for (String serial : List.of("SN-0001", "SN-0002")) {
                assertThat(entry(registry, serial).listed()).isFalse();
                assertThat(registers(registry, serial)).isFalse();
            }

            assertThat(unblock(registry, "SN-0001", "SN-0002")).isEqualTo(2);

            for (String serial : List.of("SN-0001", "SN-0002")) {
                assertThat(registry.serialList().find(FLEET, serial)).isEmpty();
                assertThat(registers(registry, serial)).isFalse();
            }
        }
    }

    @Test
    default void rowThatOnlyBlocksIsExpectedAfterItsBlockIfItWasImportedMeanwhile() {
        try (TestNode registry = fresh().start()) {
            block(registry, "stolen", "SN-0001");
            csv(registry, "serial,lot\nSN-0001,L1\n");
            assertThat(registers(registry, "SN-0001")).isFalse();
            assertThat(imported(registry, "L1")).isEqualTo(1);

            unblock(registry, "SN-0001");

            assertThat(registers(registry, "SN-0001")).isTrue();
        }
    }

    @Test
    default void importBlocksAndLeavesWhatIsKnownOfAListedSerial() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial,name,lot\nSN-0001,Pump,L1\n");

            SerialImport.Result result = csv(
                    registry,
                    "serial,name,lot,state,reason\nSN-0001,,,blocked,stolen\nSN-0002,x,,blocked,\nSN-0003,,,expected,why\nSN-0004,,,maybe,\nSN-0005,,L1,blocked,\n");

            assertThat(result.accepted()).isEqualTo(1);
            assertThat(result.errors()).extracting(SerialImport.RowError::row).containsExactly(3L, 4L, 5L, 6L);
            SerialList.Entry entry = entry(registry, "SN-0001");
            assertThat(entry.state()).isEqualTo(SerialList.State.BLOCKED);
            assertThat(entry.listed()).isTrue();
            assertThat(entry.serial().name()).contains("Pump");
            assertThat(entry.serial().lot()).contains("L1");
            assertThat(registry.serialList().find(FLEET, "SN-0002")).isEmpty();
        }
    }

    @Test
    default void blockingAgainChangesTheReasonOrNothing() {
        try (TestNode registry = fresh().start()) {
            assertThat(block(registry, "stolen", "SN-0001", "SN-0002", "SN-0001"))
                    .isEqualTo(2);
            assertThat(block(registry, null, "SN-0001")).isZero();
            assertThat(block(registry, "stolen", "SN-0001")).isZero();
            assertThat(block(registry, "scrapped", "SN-0001")).isEqualTo(1);
            csv(registry, "serial,state\nSN-0001,blocked\n");

            assertThat(entry(registry, "SN-0001").reason()).contains("scrapped");
            assertThat(unblock(registry, "SN-0003")).isZero();
        }
    }

    @Test
    default void blockIsOfOneSpellingOnly() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial\nSN-abc1\nsn-abc1\nSN-ABC1\n");

            block(registry, null, "sn-abc1");

            assertThat(registers(registry, "sn-abc1")).isFalse();
            assertThat(registers(registry, "SN-abc1")).isTrue();
            assertThat(registers(registry, "SN-ABC1")).isTrue();
            assertThat(unblock(registry, "SN-abc1")).isZero();
            assertThat(registers(registry, "sn-abc1")).isFalse();
        }
    }

    @Test
    default void statementsInASerialAreASerial() {
        try (TestNode registry = fresh().start()) {
            List<String> hostile =
                    List.of("x'OR'1'='1", "x\\'--x", "\"};DROP", "%%%%", "____", "../../x", "?a=b&c", "{\"$ne\":1}");
            csv(registry, "serial\nSN-0001\n");

            for (String serial : hostile) {
                assertThat(registers(registry, serial)).isFalse();
                assertThat(block(registry, "x'; DROP TABLE lot; --", serial)).isEqualTo(1);
                assertThat(entry(registry, serial).reason()).contains("x'; DROP TABLE lot; --");
                assertThat(unblock(registry, serial)).isEqualTo(1);
            }

            assertThat(registers(registry, "SN-0001")).isTrue();
        }
    }

    @Test
    default void blockIsOfOneFleetOnly() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial\nSN-0001\n");

            registry.serialList().block("other", List.of("SN-0001"), Optional.empty(), "test");

            assertThat(registers(registry, "SN-0001")).isTrue();
        }
    }

    @Test
    default void listPagesInTheOrderOfSerialsAndFilters() {
        try (TestNode registry = fresh().start()) {
            csv(
                    registry,
                    IntStream.range(1000, 1050)
                            .mapToObj(i -> "SN-" + i + ",L" + i % 2 + "\n")
                            .collect(Collectors.joining("", "serial,lot\n", "")));
            registers(registry, "SN-1003");
            registers(registry, "SN-1004");
            block(registry, null, "SN-1005", "SN-1006", "XX-0001");

            assertThat(pages(registry, Optional.empty(), Optional.empty(), 7)).hasSize(51);
            assertThat(pages(registry, Optional.of(SerialList.State.REGISTERED), Optional.empty(), 1))
                    .containsExactly("SN-1003", "SN-1004");
            assertThat(pages(registry, Optional.of(SerialList.State.BLOCKED), Optional.empty(), 2))
                    .containsExactly("SN-1005", "SN-1006", "XX-0001");
            assertThat(pages(registry, Optional.of(SerialList.State.EXPECTED), Optional.empty(), 10))
                    .hasSize(46)
                    .doesNotContain("SN-1003", "SN-1005", "XX-0001");
            assertThat(pages(registry, Optional.empty(), Optional.of("L1"), 10)).hasSize(25);
            assertThat(pages(registry, Optional.of(SerialList.State.BLOCKED), Optional.of("L1"), 10))
                    .containsExactly("SN-1005");
            assertThat(pages(registry, Optional.empty(), Optional.of("L2"), 10)).isEmpty();
        }
    }

    private static List<String> pages(
            TestNode registry, Optional<SerialList.State> state, Optional<String> lot, int atMost) {
        List<String> all = new ArrayList<>();
        Optional<String> next = Optional.empty();
        do {
            SerialList.Page page = registry.serialList().list(FLEET, new SerialList.Filter(state, lot), next, atMost);
            assertThat(page.entries()).hasSizeLessThanOrEqualTo(atMost);
            page.entries().forEach(entry -> all.add(entry.serial().serial()));
            next = page.next();
        } while (next.isPresent());
        assertThat(all).isSorted().doesNotHaveDuplicates();
        return all;
    }

    @Test
    default void pageThatFindsLittleLooksAtABoundedNumberOfRowsAndGoesOn() {
        try (TestNode registry = fresh().start()) {
            csv(
                    registry,
                    IntStream.range(10_000, 22_000)
                            .mapToObj(i -> "SN-" + i)
                            .collect(Collectors.joining("\n", "serial\n", "\n")));
            registers(registry, "SN-21999");
            SerialList.Filter filter =
                    new SerialList.Filter(Optional.of(SerialList.State.REGISTERED), Optional.empty());

            SerialList.Page first = registry.serialList().list(FLEET, filter, Optional.empty(), 10);

            assertThat(first.entries()).isEmpty();
            assertThat(first.next()).contains("SN-19999");
            assertThat(registry.serialList()
                            .list(FLEET, filter, first.next(), 10)
                            .entries())
                    .hasSize(1);
        }
    }

    @Test
    default void pausedLotRefusesWithItsReasonAndGoesOnWhenItIsNotPaused() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial,lot\nSN-0001,L1\nSN-0002,L2\nSN-0003,\n");
            registry.lots()
                    .put(FLEET, new Lot("L1", Optional.empty(), Optional.empty(), Optional.empty(), true), "test");

            assertThat(registers(registry, "SN-0001")).isFalse();
            assertThat(registers(registry, "SN-0002")).isTrue();
            assertThat(registers(registry, "SN-0003")).isTrue();
            registry.audit().flush();
            assertThat(events(registry))
                    .anyMatch(event -> event.startsWith("refused SN-0001") && event.contains("the lot L1 is paused"))
                    .contains("lot-written null L1, paused; before: L1");

            registry.lots().put(FLEET, lot("L1", null), "test");

            assertThat(events(registry)).contains("lot-written null L1; before: L1, paused");
            assertThat(registers(registry, "SN-0001")).isTrue();
        }
    }

    @Test
    default void lotIsValidFromItsBeginningUntilItsEnd() {
        try (TestNode registry = fresh().start()) {
            Instant now = TestRegistry.NOW;
            csv(registry, "serial,lot\nSN-0001,EARLY\nSN-0002,NOW\nSN-0003,OVER\nSN-0004,OPEN\n");
            window(registry, "EARLY", now.plusMillis(1), now.plusSeconds(9));
            window(registry, "NOW", now, now.plusMillis(1));
            window(registry, "OVER", now.minusSeconds(9), now);

            assertThat(registers(registry, "SN-0001")).isFalse();
            assertThat(registers(registry, "SN-0002")).isTrue();
            assertThat(registers(registry, "SN-0003")).isFalse();
            assertThat(registers(registry, "SN-0004")).isTrue();
            assertThat(registry.lots().find(FLEET, "NOW").orElseThrow().lot().notAfter())
                    .contains(now.plusMillis(1));
        }
    }

    private static void window(TestNode registry, String name, Instant from, Instant until) {
        registry.lots()
                .put(FLEET, new Lot(name, Optional.empty(), Optional.of(from), Optional.of(until), false), "test");
    }

    @Test
    default void lotTakesAsManySerialsAsItExpects() {
        try (TestNode registry = fresh().start()) {
            registry.lots().put(FLEET, lot("L1", 2), "test");

            SerialImport.Result result = csv(
                    registry,
                    "serial,lot\nSN-0001,L1\nSN-0002,L1\nSN-0002,L1\nbad row,L1\nSN-0003,L1\nSN-0004,L2\nSN-0005,L1\n");

            assertThat(result.read()).isEqualTo(7);
            assertThat(result.accepted()).isEqualTo(3);
            assertThat(result.errors()).extracting(SerialImport.RowError::row).containsExactly(4L, 5L, 6L, 8L);
            assertThat(result.errors().get(2).reason()).isEqualTo("lot L1 expects 2 serials and has them");
            assertThat(imported(registry, "L1")).isEqualTo(2);
            assertThat(imported(registry, "L2")).isEqualTo(1);
            assertThat(registers(registry, "SN-0003")).isFalse();
            // The same file again changes nothing; a serial that leaves the lot makes room.
            assertThat(csv(registry, "serial,lot\nSN-0001,L1\nSN-0002,L1\n").accepted())
                    .isEqualTo(2);
            assertThat(csv(registry, "serial,lot\nSN-0001,\nSN-0003,L1\n").accepted())
                    .isEqualTo(2);
            assertThat(imported(registry, "L1")).isEqualTo(2);
        }
    }

    @Test
    default void expectingFewerThanThereAreIsAConflict() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial,lot\nSN-0001,L1\nSN-0002,L1\n");

            assertThatThrownBy(() -> registry.lots().put(FLEET, lot("L1", 1), "test"))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.type()).isEqualTo(ProblemType.CONFLICT));

            assertThat(registry.lots().find(FLEET, "L1").orElseThrow().lot().expected())
                    .isEmpty();
            assertThat(registry.lots().put(FLEET, lot("L1", 2), "test").imported())
                    .isEqualTo(2);
            assertThat(csv(registry, "serial,lot\nSN-0003,L1\n").accepted()).isZero();
        }
    }

    @Test
    default void lotsAreListedByNameWithWhatIsInThem() {
        try (TestNode registry = fresh().start()) {
            registry.lots().put(FLEET, lot("empty", 5), "test");
            csv(registry, "serial,lot\nSN-0001,L1\nSN-0002,L1\nSN-0003,l1\nSN-0004,\n");
            registers(registry, "SN-0001");
            block(registry, null, "SN-0001", "SN-0002", "SN-0009");

            assertThat(registry.lots().list(FLEET, Optional.empty(), 10))
                    .extracting(entry -> entry.lot().name() + " " + entry.imported())
                    .containsExactly("L1 2", "empty 0", "l1 1");
            assertThat(registry.lots().list(FLEET, Optional.of("L1"), 1))
                    .extracting(entry -> entry.lot().name())
                    .containsExactly("empty");
            assertThat(registry.lots().progress(FLEET, "L1")).isEqualTo(new Lots.Progress(2, 1, 2));
            assertThat(registry.lots().find(FLEET, "")).isEmpty();
            assertThat(registry.lots().find(FLEET, "L2")).isEmpty();
        }
    }

    @Test
    default void importsAndLimitsThatRaceOnTwoNodesNeverOverfillALot() throws Exception {
        TestRegistry test = fresh();
        try (TestNode one = test.start();
                TestNode other = test.start()) {
            one.lots().put(FLEET, lot("L0", 300), "test");
            List<Callable<Long>> racers = new ArrayList<>();
            for (int racer = 0; racer < 6; racer++) {
                TestNode node = racer % 2 == 0 ? one : other;
                // All compete for L0 with some serials of their own and some of the others'. Meanwhile L1 gets its
                // limit.
                List<String> rows = new ArrayList<>();
                for (int i = 0; i < 150; i++) {
                    rows.add("SN-" + (10_000 + racer * 100 + i) + ",L0");
                    rows.add("XX-" + (10_000 + racer * 100 + i) + ",L" + racer % 3);
                }
                Collections.shuffle(rows, new Random(racer));
                racers.add(() -> csv(node, "serial,lot\n" + String.join("\n", rows) + "\n")
                        .accepted());
            }
            racers.add(() -> limit(other, "L1"));
            ExecutorService threads = Executors.newFixedThreadPool(racers.size());
            long last = 0;
            try {
                for (Future<Long> done : threads.invokeAll(racers, 120, TimeUnit.SECONDS)) {
                    last = done.get();
                }
            } finally {
                threads.shutdownNow();
            }

            // There are fewer if the last rows moved serials to another lot: three at most, in any order of the
            // imports.
            long raced = imported(one, "L0");
            assertThat(raced).isBetween(297L, 300L);
            assertThat(imported(one, "L1")).isLessThanOrEqualTo(last);
            for (String lot : List.of("L0", "L1", "L2")) {
                Set<String> there = new HashSet<>(pages(one, Optional.empty(), Optional.of(lot), 1000));
                assertThat(imported(one, lot)).as(lot).isEqualTo(there.size());
            }
            String fresh =
                    IntStream.range(0, 300).mapToObj(i -> "YY-" + i + ",L0\n").collect(Collectors.joining());
            assertThat(csv(other, "serial,lot\n" + fresh).accepted()).isEqualTo(300 - raced);
        }
    }

    /** Returns how many the lot expects then. */
    private static long limit(TestNode registry, String lot) {
        try {
            registry.lots().put(FLEET, lot(lot, 200), "test");
            return 200;
        } catch (RegistryException e) {
            // It had more already.
            assertThat(e.type()).isEqualTo(ProblemType.CONFLICT);
            return Long.MAX_VALUE;
        }
    }

    @Test
    default void serialThatIsNoDeviceIsTakenOffTheListAndItsLotHasRoom() {
        try (TestNode registry = fresh().start()) {
            csv(registry, "serial,lot\nSN-0001,L1\nSN-0002,L1\nSN-0003,\nSN-0004,L1\n");
            block(registry, "stolen", "SN-0004", "SN-0009");
            registry.registrar().register(Candidates.withSerial("SN-0002"));

            assertThat(registry.serialList()
                            .remove(FLEET, List.of("SN-0001", "SN-0003", "SN-0004", "SN-0008", "SN-0009"), "test"))
                    .isEqualTo(3);

            assertThat(registry.serialList().find(FLEET, "SN-0001")).isEmpty();
            assertThat(registry.serialList().find(FLEET, "SN-0003")).isEmpty();
            assertThat(imported(registry, "L1")).isEqualTo(1);
            assertThat(registers(registry, "SN-0001")).isFalse();
            // A block is no entry of the list, and ends by unblocking only.
            assertThat(entry(registry, "SN-0004").state()).isEqualTo(SerialList.State.BLOCKED);
            assertThat(entry(registry, "SN-0004").listed()).isFalse();
            assertThat(entry(registry, "SN-0004").serial().lot()).isEmpty();
            assertThat(entry(registry, "SN-0009").state()).isEqualTo(SerialList.State.BLOCKED);
            assertThat(events(registry)).contains("serial-removed SN-0001 null", "serial-removed SN-0004 null");

            assertThatThrownBy(() -> registry.serialList().remove(FLEET, List.of("SN-0002"), "test"))
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.type()).isEqualTo(ProblemType.CONFLICT));
            csv(registry, "serial,lot\nSN-0005,L1\n");
            assertThatThrownBy(
                            () -> registry.serialList().remove(FLEET, List.of("SN-0001", "SN-0005", "SN-0002"), "test"))
                    .isInstanceOf(RegistryException.class);
            assertThat(imported(registry, "L1")).isEqualTo(2);
            assertThat(registers(registry, "SN-0005")).isTrue();
        }
    }

    @Test
    default void importIsOnRecord() {
        try (TestNode registry = fresh().start()) {
            String id = csv(registry, "serial\nSN-0001\nx\n").id();

            assertThat(registry.imports().list(FLEET, Optional.empty(), 10))
                    .singleElement()
                    .satisfies(entry -> {
                        assertThat(entry.id()).isEqualTo(id);
                        assertThat(entry.counts().accepted()).isEqualTo(1);
                        assertThat(entry.endedAt()).isPresent();
                    });
            assertThat(registry.imports().list(FLEET, Optional.of(id), 10)).isEmpty();
            registry.imports().tend();
        }
    }
}
