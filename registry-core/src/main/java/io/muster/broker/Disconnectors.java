// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.micrometer.core.instrument.MeterRegistry;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.credential.BrokerLogins;
import io.muster.credential.ClientAuthenticator;
import io.muster.disconnection.Disconnections;
import io.muster.fleet.Fleets;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** Disconnects clients from all brokers that have a management: one {@link Disconnector} for each. Thread-safe. */
@Part
public final class Disconnectors implements AutoCloseable {

    /** How often to look for work that other nodes left, or that is due later. */
    public static final Duration INTERVAL = Duration.ofMillis(500);

    private final List<Disconnector> all;

    /** Makes one for each broker, and wakes them after each commit that requests a disconnection. */
    @Inject
    Disconnectors(
            MusterConfig config,
            Database database,
            Disconnections disconnections,
            ClientAuthenticator authenticator,
            BrokerLogins logins,
            Fleets fleets,
            Ids ids,
            @Ours Clock clock,
            @Ours MeterRegistry meters) {
        DisconnectionQueue queue = new DisconnectionQueue(database, ids, clock);
        this.all = config.brokers().stream()
                .filter(broker -> broker.management().isPresent())
                .map(broker -> Disconnector.of(broker, queue, authenticator, logins, fleets, clock, meters))
                .toList();
        disconnections.onRequest(this::wake);
    }

    /**
     * Requests a comparison of the brokers that keep logins with the registry; later ones follow by themselves. Call it
     * once, at the start.
     */
    public void start() {
        all.forEach(Disconnector::start);
    }

    /** Does everything that is due, on other threads. Returns at once. */
    public void wake() {
        all.forEach(Disconnector::wake);
    }

    /** Stops running work. Other nodes, or the next start, do what is left. */
    @Override
    public void close() {
        all.forEach(Disconnector::close);
    }
}
