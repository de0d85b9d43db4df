// SPDX-License-Identifier: Apache-2.0
package io.muster.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RetrySlotsTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final TestClock clock = new TestClock();
    private final RetrySlots turns = new RetrySlots(clock);

    /** Returns the wait of the last of this many clients that are turned away at once. */
    private Duration last(int count) {
        Duration last = Duration.ZERO;
        for (int i = 0; i < count; i++) {
            last = turns.next();
        }
        return last;
    }

    /** Plays a second in which this many were served and one was turned away. */
    private void busySecond(int served) {
        for (int i = 0; i < served; i++) {
            turns.served();
        }
        turns.next();
        clock.pass(SECOND);
    }

    @Test
    void whileNothingIsKnownAThousandInASecondArePresumed() {
        assertThat(last(1)).hasSeconds(5);
        assertThat(last(4_999)).hasSeconds(5);
        assertThat(last(1)).hasSeconds(6);
        assertThat(last(94_999)).hasSeconds(100);
    }

    @Test
    void turnsAreHandedOutAsFastAsTheBestBusySecondServed() {
        busySecond(250);
        busySecond(400);
        busySecond(300);

        assertThat(last(400 * 20)).hasSeconds(20);
    }

    @Test
    void secondThatIsNotOverSaysNothing() {
        busySecond(200);
        for (int i = 0; i < 1_000; i++) {
            turns.served();
        }

        assertThat(last(200 * 30)).hasSeconds(30);
    }

    @Test
    void secondInWhichNobodyWasTurnedAwaySaysNotHowManyCouldHaveBeenServed() {
        turns.served();
        clock.pass(SECOND);

        assertThat(last(50_000)).hasSeconds(50);
    }

    @Test
    void whatWasServedElevenSecondsAgoIsForgotten() {
        busySecond(200);
        clock.pass(Duration.ofSeconds(10));
        assertThat(last(50_000)).hasSeconds(50);
    }

    @Test
    void whatWasServedTenSecondsAgoIsNot() {
        busySecond(200);
        clock.pass(Duration.ofSeconds(9));
        assertThat(last(50_000)).hasSeconds(250);
    }

    @Test
    void whoServedOneInASecondHandsOutAHundred() {
        busySecond(1);

        assertThat(last(1_000)).hasSeconds(10);
    }

    @Test
    void turnsThatPassedAreForgottenAndThoseThatDidNotAreKept() {
        assertThat(last(100_000)).hasSeconds(100);

        clock.pass(Duration.ofSeconds(60));
        assertThat(last(1)).hasSeconds(41);

        clock.pass(Duration.ofSeconds(60));
        assertThat(last(1)).hasSeconds(5);
    }

    @Test
    void nobodyWaitsMoreThanTenMinutesAndTheRestIsSpreadOverThemAgain() {
        assertThat(last(600_000)).hasSeconds(600);
        assertThat(last(1)).hasSeconds(5);
        assertThat(last(299_999)).hasSeconds(300);
    }

    @Test
    void clockThatIsSetBackMakesNobodyWaitLonger() {
        last(1_000);
        clock.pass(Duration.ofDays(-1));

        assertThat(last(1)).hasSeconds(5);
        assertThat(last(19_999)).hasSeconds(20);
    }

    @Test
    void eightThreadsGetTurnsOfTheirOwn() throws Exception {
        ConcurrentHashMap<Duration, AtomicInteger> waits = new ConcurrentHashMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> done = IntStream.range(0, 8)
                    .<Future<?>>mapToObj(i -> threads.submit(() -> {
                        for (int turn = 0; turn < 10_000; turn++) {
                            waits.computeIfAbsent(turns.next(), wait -> new AtomicInteger())
                                    .incrementAndGet();
                        }
                    }))
                    .toList();
            for (Future<?> each : done) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }

        assertThat(waits).hasSize(76);
        waits.remove(RetrySlots.LEAST);
        assertThat(waits.values()).allSatisfy(count -> assertThat(count).hasValue(1_000));
    }
}
