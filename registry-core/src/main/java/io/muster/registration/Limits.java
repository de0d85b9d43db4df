package io.muster.registration;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.EstimationProbe;
import io.github.bucket4j.TimeMeter;
import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.problem.RegistryException;
import java.time.Clock;
import java.time.Duration;

/**
 * What a stranger may do. Counts refusals, not registrations: a factory behind one address may register as fast as it can,
 * somebody who walks through serials may not. Each node counts for itself. Thread-safe.
 */
final class Limits {

    private static final int ADDRESSES = 100_000;

    private final Cache<String, Bucket> byAddress;
    private final Bandwidth budget;
    private final TimeMeter time;

    Limits(MusterConfig.Limits config, Clock clock) {
        this.budget = Bandwidth.builder()
                .capacity(config.refusals())
                .refillGreedy(config.refusals(), config.window())
                .build();
        this.byAddress = Caffeine.newBuilder().maximumSize(ADDRESSES).build();
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

    /** Says 429 to an address that was refused too often. */
    void check(String origin) {
        Bucket bucket = byAddress.getIfPresent(origin);
        if (bucket == null) {
            return;
        }
        EstimationProbe probe = bucket.estimateAbilityToConsume(1);
        if (!probe.canBeConsumed()) {
            throw RegistryException.later(
                    ProblemType.TOO_MANY_REQUESTS,
                    "too many refusals for " + origin,
                    Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }

    /** Counts a refusal. */
    void refused(String origin) {
        byAddress
                .get(origin, address -> Bucket.builder()
                        .addLimit(budget)
                        .withCustomTimePrecision(time)
                        .build())
                .tryConsume(1);
    }
}
