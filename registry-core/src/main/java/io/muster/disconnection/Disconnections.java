// SPDX-License-Identifier: Apache-2.0
package io.muster.disconnection;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.Broker;
import io.muster.persistence.Ids;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The clients that brokers must disconnect: an outbox. The transaction that ends a right to be connected writes a row,
 * so none is lost if this node or the broker fails. The row stays until the clients are known to be disconnected. A
 * broker that keeps the logins of devices itself also gets a row for every other change of them. Thread-safe.
 */
@Part
public final class Disconnections {

    private final List<Broker> brokers;
    private final List<Broker> keepers;
    private final boolean untold;
    private final Ids ids;
    private final Clock clock;
    private volatile Runnable wake = () -> {};

    /** Writes for the brokers that can be told. */
    @Inject
    public Disconnections(MusterConfig config, Ids ids, @Ours Clock clock) {
        this(config.brokers(), ids, clock);
    }

    /** Writes for those of these brokers that can be told. */
    public Disconnections(List<Broker> brokers, Ids ids, Clock clock) {
        this.brokers = brokers.stream()
                .filter(broker -> broker.management().isPresent())
                .toList();
        this.untold = brokers.stream().anyMatch(broker -> broker.management().isEmpty());
        this.keepers = this.brokers.stream()
                .filter(broker -> broker.kind().keepsLogins())
                .toList();
        this.ids = ids;
        this.clock = clock;
    }

    /** Sets the task that runs after each commit that wrote a row due now. There is one such task. */
    public void onRequest(Runnable wake) {
        this.wake = wake;
    }

    /** Requests, within a transaction, that a device be disconnected from this time on. */
    public void request(EntityManager em, String fleet, byte[] device, Instant from) {
        insert(em, brokers, fleet, Optional.empty(), Optional.of(device), from, false);
    }

    /**
     * Requests, within a transaction, that a device be disconnected now although it may connect again, and that its
     * sessions be deleted: its topics are others from now on.
     */
    public void requestAnew(EntityManager em, String fleet, byte[] device) {
        insert(em, brokers, fleet, Optional.empty(), Optional.of(device), clock.instant(), true);
    }

    /** Requests, within a transaction, that the brokers that keep logins update those of a device. */
    public void requestLogins(EntityManager em, String fleet, byte[] device) {
        insert(em, keepers, fleet, Optional.empty(), Optional.of(device), clock.instant(), false);
    }

    /** Requests, within a transaction, that the brokers that keep logins update those of all devices of a fleet. */
    public void requestAllLogins(EntityManager em, String fleet) {
        insert(em, keepers, fleet, Optional.empty(), Optional.empty(), clock.instant(), false);
    }

    /** Requests, within a transaction, that an operator be disconnected. */
    public void request(EntityManager em, String operator) {
        Instant now = clock.instant();
        // Brokers that keep logins have none of operators.
        brokers.stream().filter(broker -> !keepers.contains(broker)).forEach(broker -> em.createNativeQuery(
                        "INSERT INTO disconnection (id, broker, operator, requested_at, due_at) VALUES (?, ?, ?, ?, ?)")
                .setParameter(1, ids.next())
                .setParameter(2, broker.name())
                .setParameter(3, operator)
                .setParameter(4, now.toEpochMilli())
                .setParameter(5, now.toEpochMilli())
                .executeUpdate());
    }

    /**
     * Tells, within a transaction, whether a broker may still have a connection of a revoked operator. It may if it has
     * not disconnected the operator yet, or if it cannot be told.
     */
    public boolean mayBeConnected(EntityManager em, String operator) {
        if (untold) {
            return true;
        }
        // Rows of brokers that are no longer configured may stay for ever.
        List<?> waiting = em.createNativeQuery("SELECT broker FROM disconnection WHERE operator = ?")
                .setParameter(1, operator)
                .getResultList();
        return brokers.stream().anyMatch(broker -> waiting.contains(broker.name()));
    }

    /**
     * Requests, within a transaction, that devices be disconnected whose credentials are no longer good: those of a
     * fleet, or of one of its lots.
     */
    public void requestAll(EntityManager em, String fleet, Optional<String> lot) {
        insert(em, brokers, fleet, lot, Optional.empty(), clock.instant(), false);
    }

    private void insert(
            EntityManager em,
            List<Broker> told,
            String fleet,
            Optional<String> lot,
            Optional<byte[]> device,
            Instant from,
            boolean anew) {
        for (Broker broker : told) {
            if (broker.serves(fleet)) {
                em.createNativeQuery(
                                "INSERT INTO disconnection (id, broker, fleet, lot, device_id, requested_at, due_at,"
                                        + " anew) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                        .setParameter(1, ids.next())
                        .setParameter(2, broker.name())
                        .setParameter(3, fleet)
                        .setParameter(4, lot.orElse(null))
                        .setParameter(5, device.orElse(null))
                        .setParameter(6, from.toEpochMilli())
                        .setParameter(7, from.toEpochMilli())
                        .setParameter(8, anew)
                        .executeUpdate();
            }
        }
    }

    /** Reports the commit of a transaction that requested something, so that it need not wait for the next look. */
    public void committed() {
        wake.run();
    }
}
