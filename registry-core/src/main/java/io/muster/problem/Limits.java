package io.muster.problem;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.EstimationProbe;
import io.github.bucket4j.TimeMeter;
import io.muster.api.ProblemType;
import java.time.Clock;
import java.time.Duration;

/**
 * How often a stranger may be told no. Counts refusals, not requests: who is in the right may come as fast as it can. Each node
 * counts for itself. Thread-safe.
 */
public final class Limits {

    private static final int STRANGERS = 100_000;
    private static final int LONGEST_NAME = 200;

    private final Cache<String, Bucket> byStranger;
    private final Bandwidth budget;
    private final TimeMeter time;

    /**
     * Begins to count.
     *
     * @param refusals within the window at most
     */
    public Limits(int refusals, Duration window, Clock clock) {
        this.budget = Bandwidth.builder()
                .capacity(refusals)
                .refillGreedy(refusals, window)
                .build();
        this.byStranger = Caffeine.newBuilder().maximumSize(STRANGERS).build();
        this.time = new TimeMeter() {
            @Override
            public long currentTimeNanos() {
                return Duration.ofMillis(clock.millis()).toNanos();
            }

            @Override
            public boolean isWallClockBased() {
                return true;
            }
        };
    }

    /**
     * Asks whether a stranger was refused too often.
     *
     * @throws RegistryException {@code TOO_MANY_REQUESTS} if so
     */
    public void check(String stranger) {
        Bucket bucket = byStranger.getIfPresent(name(stranger));
        if (bucket == null) {
            return;
        }
        EstimationProbe probe = bucket.estimateAbilityToConsume(1);
        if (!probe.canBeConsumed()) {
            throw RegistryException.later(
                    ProblemType.TOO_MANY_REQUESTS,
                    "too many refusals for " + name(stranger),
                    Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }

    /** Counts a refusal. */
    public void refused(String stranger) {
        byStranger
                .get(name(stranger), who -> Bucket.builder()
                        .addLimit(budget)
                        .withCustomTimePrecision(time)
                        .build())
                .tryConsume(1);
    }

    // What is remembered is bounded in length as in number.
    private static String name(String stranger) {
        return stranger.length() <= LONGEST_NAME ? stranger : stranger.substring(0, LONGEST_NAME);
    }
}
