// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.problem.RegistryException;
import io.muster.statistics.Kind;
import io.muster.statistics.Statistics;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts registrations by fleet and outcome, on this node since its start, and for charts. Thread-safe. */
@Part
public final class RegistrationMeters {

    private final MeterRegistry meters;
    private final Statistics statistics;
    private final Map<Key, Counter> counters = new ConcurrentHashMap<>();

    private record Key(String fleet, String outcome) {}

    @Inject
    RegistrationMeters(@Ours MeterRegistry meters, Statistics statistics) {
        this.statistics = statistics;
        this.meters = meters;
    }

    /**
     * Counts one that was not refused.
     *
     * @param fleet an existing one
     * @param kind {@code NEW}, {@code AGAIN} or {@code PENDING}
     */
    void answered(String fleet, Kind kind) {
        count(fleet, kind.word());
        statistics.count(fleet, kind);
    }

    /** Counts one that was answered with a problem. Why one was refused is counted by {@link #refused}. */
    void failed(String fleet, RegistryException e) {
        count(fleet, e.type().slug());
        switch (e.type()) {
            case REGISTRATION_REFUSED -> {}
            case TOO_MANY_REQUESTS -> refused(fleet, Kind.REFUSED_LIMIT);
            case VERIFICATION_UNAVAILABLE -> statistics.count(fleet, Kind.UNAVAILABLE);
            default -> statistics.count(fleet, Kind.INVALID);
        }
    }

    /** Counts why one was refused. */
    void refused(String fleet, Kind why) {
        statistics.count(fleet, why);
        counters.computeIfAbsent(new Key(fleet, why.word()), key -> Counter.builder("muster.refusals")
                        .description("registrations that were refused, by the class of the reason")
                        .tag("fleet", fleet)
                        .tag("reason", why.reason().orElseThrow())
                        .register(meters))
                .increment();
    }

    private void count(String fleet, String outcome) {
        counters.computeIfAbsent(new Key(fleet, outcome), key -> Counter.builder("muster.registrations")
                        .description("registrations that were decided")
                        .tag("fleet", key.fleet())
                        .tag("outcome", key.outcome())
                        .register(meters))
                .increment();
    }
}
