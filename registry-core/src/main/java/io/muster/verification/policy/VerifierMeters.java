// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;

/** Measures how long verifiers take, by name and answer, on this node since its start. Thread-safe. */
@Part
public final class VerifierMeters {

    private static final Duration[] BUCKETS = DoubleStream.of(
                    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
            .mapToObj(seconds -> Duration.ofNanos((long) (seconds * 1e9)))
            .toArray(Duration[]::new);

    private final MeterRegistry meters;
    private final Map<Key, Timer> timers = new ConcurrentHashMap<>();

    private record Key(String verifier, String outcome) {}

    @Inject
    VerifierMeters(@Ours MeterRegistry meters) {
        this.meters = meters;
    }

    void answered(String verifier, String outcome, long nanos) {
        timers.computeIfAbsent(new Key(verifier, outcome), key -> Timer.builder("muster.verifier.duration")
                        .description("questions to verifiers")
                        .tag("verifier", key.verifier())
                        .tag("outcome", key.outcome())
                        .serviceLevelObjectives(BUCKETS)
                        .register(meters))
                .record(nanos, TimeUnit.NANOSECONDS);
    }
}
