// SPDX-License-Identifier: Apache-2.0
package io.muster.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LimitsTest {

    private static final int REFUSALS = 100;
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final String STRANGER = "127.0.0.1 as a";

    private Instant now = TestRegistry.NOW;
    private final Limits limits = new Limits(REFUSALS, WINDOW, new Clock() {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    });

    private boolean isRefused() {
        try {
            limits.check(STRANGER);
            limits.count(STRANGER);
            return true;
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            return false;
        }
    }

    private void useUp() {
        for (int i = 0; i < REFUSALS; i++) {
            assertThat(isRefused()).as("refusal %s", i).isTrue();
        }
    }

    @Test
    void strangerIsTurnedAwayAfterSoManyRefusalsAndItsNeighbourIsNot() {
        useUp();

        assertThatThrownBy(() -> limits.check(STRANGER)).isInstanceOfSatisfying(RegistryException.class, e -> {
            assertThat(e.type()).isEqualTo(ProblemType.TOO_MANY_REQUESTS);
            assertThat(e.retryAfter().orElseThrow()).isBetween(WINDOW, WINDOW.plusSeconds(1));
        });
        assertThatCode(() -> limits.check("127.0.0.1 as b")).doesNotThrowAnyException();
        assertThatCode(() -> limits.check("127.0.0.2 as a")).doesNotThrowAnyException();
    }

    @Test
    void whoComesWhenItWasToldToIsRefusedAgainAndNoSooner() {
        useUp();
        Duration wait = assertThrowsTooMany();

        now = now.plus(wait).minusMillis(1);
        assertThatThrownBy(() -> limits.check(STRANGER)).isInstanceOf(RegistryException.class);
        now = now.plusMillis(1);
        useUp();
        assertThat(isRefused()).isFalse();
    }

    private Duration assertThrowsTooMany() {
        try {
            limits.check(STRANGER);
        } catch (RegistryException e) {
            return e.retryAfter().orElseThrow();
        }
        throw new AssertionError("not turned away");
    }

    @Test
    void limitHoldsInAnyWindowWhereverItBegins() {
        Random random = new Random(7);
        Deque<Instant> last = new ArrayDeque<>();
        int most = 0;
        for (int i = 0; i < 200_000; i++) {
            now = now.plusMillis(random.nextInt(20) == 0 ? random.nextInt(20_000) : random.nextInt(40));
            if (isRefused()) {
                last.add(now);
            }
            while (!last.isEmpty() && !last.peek().isAfter(now.minus(WINDOW))) {
                last.remove();
            }
            most = Math.max(most, last.size());
        }
        assertThat(most).isEqualTo(REFUSALS);
    }

    @Test
    void limitHoldsForThoseThatAreUnderWayAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            IntStream.range(0, REFUSALS + 50).forEach(i -> limits.check(STRANGER));
            var counted = IntStream.range(0, REFUSALS + 50)
                    .mapToObj(i -> threads.submit(() -> {
                        try {
                            limits.count(STRANGER);
                            return true;
                        } catch (RegistryException e) {
                            return false;
                        }
                    }))
                    .toList();
            int refused = 0;
            for (Future<Boolean> one : counted) {
                refused += one.get() ? 1 : 0;
            }
            assertThat(refused).isEqualTo(REFUSALS);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void clockThatIsSetBackTurnsNobodyAwayForLongerThanAWindow() {
        useUp();

        now = now.minus(Duration.ofHours(1));

        assertThat(isRefused()).isTrue();
        now = now.minusSeconds(30);
        assertThat(isRefused()).as("there is room left").isTrue();
    }

    @Test
    void nameIsRememberedInPartIfItIsLong() {
        String name = "x".repeat(200);
        for (int i = 0; i < REFUSALS; i++) {
            limits.count(name + i);
        }

        assertThatThrownBy(() -> limits.check(name + "y")).isInstanceOf(RegistryException.class);
    }

    @Test
    void attemptsUnderWayCountAndThoseThatSucceededDoNot() {
        List<Limits.Attempt> underWay = IntStream.range(0, REFUSALS)
                .mapToObj(i -> limits.attempt(STRANGER))
                .toList();
        assertThrowsTooMany();

        underWay.get(0).takeBack();
        assertThat(isRefused()).isTrue();
        assertThat(isRefused()).isFalse();

        now = now.plus(WINDOW).plusSeconds(2);
        // It fell out of the window, and takes no other's place with it.
        underWay.get(1).takeBack();
        useUp();
        assertThat(isRefused()).isFalse();
    }
}
