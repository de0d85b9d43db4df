// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** When a delivery that failed is tried again: the schedule that Standard Webhooks proposes, ended after a day. */
final class Schedule {

    /** Between one attempt and the next. Together they are 23 hours and 35 minutes. */
    private static final List<Duration> DELAYS = List.of(
            Duration.ofSeconds(5),
            Duration.ofMinutes(5),
            Duration.ofMinutes(30),
            Duration.ofHours(2),
            Duration.ofHours(5),
            Duration.ofHours(8),
            Duration.ofHours(8));

    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration LONGEST_ASKED = Duration.ofHours(8);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);
    private static final int MOST_DOUBLINGS = 9;
    /** How much of a delay is chance, so that what failed together is not tried together. */
    private static final double JITTER = 0.2;

    private Schedule() {}

    /**
     * Returns how long to wait after an attempt failed; empty if it was the last one.
     *
     * @param attempts how many there were, this one included
     * @param age the time since the first
     * @param asked the time that the receiver asked for by {@code Retry-After}
     * @param chance from 0 to 1
     */
    static Optional<Duration> next(int attempts, Duration age, Optional<Duration> asked, double chance) {
        if (attempts > DELAYS.size() || age.compareTo(DAY) >= 0) {
            return Optional.empty();
        }
        Duration usual = spread(DELAYS.get(attempts - 1), chance);
        Duration bounded = asked.map(wait -> wait.compareTo(LONGEST_ASKED) > 0 ? LONGEST_ASKED : wait)
                .orElse(Duration.ZERO);
        return Optional.of(bounded.compareTo(usual) > 0 ? bounded : usual);
    }

    /**
     * Returns how long nothing is sent to a receiver after an attempt failed. A message that the receiver does not
     * accept delays the others little; a receiver that is unreachable costs no more than an attempt in five minutes.
     *
     * @param failures how many attempts failed since the last one that succeeded, this one included
     */
    static Duration pause(int failures, double chance) {
        Duration doubled = Duration.ofSeconds(1L << Math.min(Math.max(failures, 1) - 1, MOST_DOUBLINGS));
        return spread(doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled, chance);
    }

    private static Duration spread(Duration delay, double chance) {
        return Duration.ofMillis(Math.round(delay.toMillis() * (1 - JITTER * chance)));
    }
}
