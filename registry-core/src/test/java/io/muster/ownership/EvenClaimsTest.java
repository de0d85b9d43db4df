// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.limit.UsualTime;
import java.time.Duration;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

class EvenClaimsTest {

    private static final Duration FLOOR = Duration.ofMillis(50);

    private long now;

    private EvenClaims with(LongUnaryOperator chance) {
        return new EvenClaims(FLOOR, () -> now, chance);
    }

    private void pass(long millis) {
        now += Duration.ofMillis(millis).toNanos();
    }

    private static long millis(EvenClaims.Watch watch) {
        return Duration.ofNanos(watch.due()).toMillis();
    }

    private void decide(EvenClaims even, long millis) {
        for (int i = 0; i < UsualTime.KEPT; i++) {
            EvenClaims.Watch watch = even.watch();
            pass(millis);
            watch.decided();
        }
    }

    @Test
    void refusalIsDueWhenATransactionIsUsuallyOverWhereverItWasDecided() {
        try (EvenClaims even = with(bound -> 0)) {
            EvenClaims.Watch unmeasured = even.watch();
            assertThat(millis(unmeasured)).isEqualTo(EvenClaims.PRESUMED.toMillis());

            decide(even, 120);

            EvenClaims.Watch early = even.watch();
            EvenClaims.Watch late = even.watch();
            pass(100);
            late.decided();
            assertThat(millis(early)).isEqualTo(120);
            assertThat(millis(late)).isEqualTo(120);
        }
    }

    @Test
    void noRefusalIsAnsweredBeforeTheConfiguredTime() {
        try (EvenClaims even = with(bound -> 0)) {
            decide(even, 1);

            assertThat(millis(even.watch())).isEqualTo(FLOOR.toMillis());
        }
    }

    @Test
    void chanceAddsUpToHalfAsMuch() {
        try (EvenClaims even = with(bound -> bound - 1)) {
            decide(even, 120);

            assertThat(millis(even.watch())).isEqualTo(180);
        }
    }

    @Test
    void refusalThatIsLateAlreadyIsAnsweredAtOnce() {
        try (EvenClaims even = with(bound -> 0)) {
            EvenClaims.Watch watch = even.watch();
            pass(1000);

            assertThat(watch.answer("no").toCompletableFuture()).isCompletedWithValue("no");
            assertThat(even.watch().answer("no").toCompletableFuture()).isNotDone();
        }
    }
}
