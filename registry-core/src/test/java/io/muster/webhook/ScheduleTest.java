// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScheduleTest {

    private static Optional<Duration> next(int attempts, Duration age) {
        return Schedule.next(attempts, age, Optional.empty(), 0);
    }

    @Test
    void attemptsGetRarerAndEndWithinADay() {
        List<Duration> delays = new ArrayList<>();
        Duration age = Duration.ZERO;
        Optional<Duration> delay = next(1, age);
        while (delay.isPresent()) {
            delays.add(delay.get());
            age = age.plus(delay.get());
            delay = next(delays.size() + 1, age);
        }

        assertThat(delays)
                .startsWith(Duration.ofSeconds(5), Duration.ofMinutes(5), Duration.ofMinutes(30))
                .isSorted();
        assertThat(age).isBetween(Duration.ofHours(23), Duration.ofHours(24));
    }

    @Test
    void messageOlderThanADayIsGivenUp() {
        assertThat(next(1, Duration.ofHours(24))).isEmpty();
        assertThat(next(1, Duration.ofHours(24).minusMillis(1))).isPresent();
    }

    @Test
    void chanceShortensADelayByAFifthAtMost() {
        assertThat(Schedule.next(2, Duration.ZERO, Optional.empty(), 0)).contains(Duration.ofMinutes(5));
        assertThat(Schedule.next(2, Duration.ZERO, Optional.empty(), 0.5)).contains(Duration.ofSeconds(270));
        assertThat(Schedule.next(2, Duration.ZERO, Optional.empty(), 1)).contains(Duration.ofMinutes(4));
    }

    @Test
    void receiverMayAskForALongerDelayButNotForAnyLength() {
        assertThat(Schedule.next(1, Duration.ZERO, Optional.of(Duration.ofMinutes(1)), 0))
                .contains(Duration.ofMinutes(1));
        assertThat(Schedule.next(1, Duration.ZERO, Optional.of(Duration.ofSeconds(1)), 0))
                .contains(Duration.ofSeconds(5));
        assertThat(Schedule.next(1, Duration.ZERO, Optional.of(Duration.ofDays(900)), 0))
                .contains(Duration.ofHours(8));
    }

    @Test
    void receiverThatFailsOnIsAskedEveryFiveMinutes() {
        assertThat(Schedule.pause(1, 0)).isEqualTo(Duration.ofSeconds(1));
        assertThat(Schedule.pause(4, 0)).isEqualTo(Duration.ofSeconds(8));
        assertThat(Schedule.pause(1000, 0)).isEqualTo(Duration.ofMinutes(5));
    }
}
