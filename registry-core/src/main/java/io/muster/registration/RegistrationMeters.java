// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts registrations by fleet and outcome, on this node since its start. Thread-safe. */
@Part
public final class RegistrationMeters {

    private final MeterRegistry meters;
    private final Map<Key, Counter> counters = new ConcurrentHashMap<>();

    private record Key(String fleet, String outcome) {}

    @Inject
    RegistrationMeters(@Ours MeterRegistry meters) {
        this.meters = meters;
    }

    /**
     * Counts one.
     *
     * @param fleet an existing one
     * @param outcome {@code new}, {@code again}, {@code pending}, or the problem with which it was answered
     */
    void count(String fleet, String outcome) {
        counters.computeIfAbsent(new Key(fleet, outcome), key -> Counter.builder("muster.registrations")
                        .description("registrations that were decided")
                        .tag("fleet", key.fleet())
                        .tag("outcome", key.outcome())
                        .register(meters))
                .increment();
    }
}
