// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.muster.broker.BrokerManagement.Result;
import io.muster.config.MusterConfig.Broker;
import io.muster.credential.BrokerLogins;
import io.muster.credential.ClientAuthenticator;
import io.muster.fleet.Fleets;
import io.muster.log.RareLog;
import io.muster.persistence.Changes;
import io.muster.spi.DeviceId;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Disconnects devices and operators from one broker. It repeats an order until the broker confirms that they are gone.
 * Some seconds later it gives the order once more, because another node may have admitted one before the news reached
 * that node. {@link DisconnectionQueue} has the clients to disconnect. A broker that keeps the logins of devices itself
 * is told of those in the same way. It is also compared periodically with the registry as a whole. Thread-safe.
 */
final class Disconnector implements AutoCloseable {

    /** How often to look for work that other nodes left, or that is due later. */
    static final Duration INTERVAL = Duration.ofMillis(500);

    /** How stale a node's memory may be, plus the time a login needs; after that the broker is told once more. */
    private static final Duration AGAIN = Changes.INTERVAL.multipliedBy(4).plusSeconds(2);

    /**
     * How long a thread has an entry to itself. If a node dies, as many entries as it has threads wait that long. If a
     * thread is slower than this, another one works on the same entry too, which does no harm. Together with the
     * longest wait for an answer and the longest pause this is less than ten seconds.
     */
    private static final Duration LEASE = Duration.ofSeconds(7);

    /** How often a broker that keeps logins is compared with the registry. */
    private static final Duration COMPARED = Duration.ofMinutes(5);

    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(250);

    /** The longest pause before an unreachable broker is tried again. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    /** The longest wait before the next attempt to disconnect a client that a reachable broker did not disconnect. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

    private static final int THREADS = 8;
    private static final int BATCH = 64;

    /** How many refusals in a row mean that the broker refuses everything. */
    private static final int PATIENCE = 8;

    private static final RareLog LOG = RareLog.of(Disconnector.class);

    private final Broker broker;
    private final BrokerManagement management;
    private final DisconnectionQueue queue;
    private final Clock clock;
    private final Timer time;
    private final ExecutorService threads;
    private final AtomicInteger running = new AtomicInteger();
    private volatile Optional<DisconnectionQueue.Entry> comparing = Optional.empty();
    private volatile Instant renewedAt = Instant.MIN;
    private volatile int failures;
    private volatile int refusals;
    private volatile Instant pausedUntil = Instant.MIN;

    /**
     * Disconnects clients of one broker that has a management.
     *
     * @param meters gets {@code muster.broker.disconnect}, the time from the commit that ends a right to be connected
     *     until the broker has first been told. For a broker that keeps logins it also gets
     *     {@code muster.broker.repaired}, the number of differences found
     */
    static Disconnector of(
            Broker broker,
            DisconnectionQueue queue,
            ClientAuthenticator authenticator,
            BrokerLogins logins,
            Fleets fleets,
            Clock clock,
            MeterRegistry meters) {
        if (!broker.kind().keepsLogins()) {
            return new Disconnector(broker, HttpManagement.of(broker, authenticator::used), queue, clock, meters);
        }
        MqttControl control = new MqttControl(
                broker.management().orElseThrow(),
                () -> compare(broker, queue),
                (device, key) -> used(broker, authenticator, device, key));
        Counter repaired = Counter.builder("muster.broker.repaired")
                .description("Differences between a broker and the registry that were corrected")
                .tag("broker", broker.name())
                .register(meters);
        return new Disconnector(
                broker, new MosquittoManagement(broker, logins, fleets, control, repaired), queue, clock, meters);
    }

    private static void compare(Broker broker, DisconnectionQueue queue) {
        try {
            queue.requestFullComparison(broker.name());
        } catch (RuntimeException e) {
            // The database is unreachable. The comparison takes place when it is due anyway.
            LOG.warn("database", "The broker {} is to be compared later: {}", broker.name(), e.getMessage());
        }
    }

    private static void used(Broker broker, ClientAuthenticator authenticator, DeviceId device, String key) {
        try {
            authenticator.usedAtBroker(device, key);
        } catch (RuntimeException e) {
            // It is noted when the device next connects.
            LOG.warn("database", "A connection to the broker {} is not noted: {}", broker.name(), e.getMessage());
        }
    }

    private Disconnector(
            Broker broker, BrokerManagement management, DisconnectionQueue queue, Clock clock, MeterRegistry meters) {
        this.broker = broker;
        this.management = management;
        this.queue = queue;
        this.clock = clock;
        this.time = Timer.builder("muster.broker.disconnect")
                .description("From the end of the right to be connected until the broker has closed the connection")
                .tag("broker", broker.name())
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(1))
                .maximumExpectedValue(Duration.ofMinutes(10))
                .register(meters);
        this.threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "muster-disconnect-" + broker.name());
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Requests a comparison of a broker that keeps logins with the registry; later ones follow by themselves. Call it
     * once, at the start.
     */
    public void start() {
        if (broker.kind().keepsLogins()) {
            compare(broker, queue);
        }
    }

    /** Does everything that is due, on other threads. Returns at once. */
    public void wake() {
        Optional<DisconnectionQueue.Entry> whole = comparing;
        if (whole.isPresent() && clock.instant().isAfter(renewedAt.plus(LEASE.dividedBy(3)))) {
            renewedAt = clock.instant();
            work(() -> queue.renew(whole.get(), LEASE));
        }
        if (running.get() >= THREADS || clock.instant().isBefore(pausedUntil)) {
            return;
        }
        work(this::work);
    }

    private void work(Runnable task) {
        running.incrementAndGet();
        try {
            threads.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException e) {
                    // The database is unreachable. The next look finds everything still there.
                    LOG.warn(
                            "database",
                            "The clients to disconnect from the broker {} cannot be read: {}",
                            broker.name(),
                            e.getMessage());
                } finally {
                    running.decrementAndGet();
                }
            });
        } catch (RejectedExecutionException e) {
            running.decrementAndGet();
        }
    }

    private void work() {
        try {
            List<DisconnectionQueue.Entry> due = queue.due(broker.name(), BATCH);
            while (!due.isEmpty() && !clock.instant().isBefore(pausedUntil)) {
                for (DisconnectionQueue.Entry one : due) {
                    if (queue.take(one, LEASE) && !handle(one)) {
                        return;
                    }
                }
                due = queue.due(broker.name(), BATCH);
                if (due.size() > 1) {
                    wake();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether to go on. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the worker writes
    private boolean handle(DisconnectionQueue.Entry one) throws InterruptedException {
        if (one.target() instanceof DisconnectionQueue.Target.Devices many) {
            queue.expand(one, many, broker.name());
            return true;
        }
        Result kept;
        try {
            if (one.target() instanceof DisconnectionQueue.Target.Everybody) {
                compare(one);
                refusals = 0;
                failures = 0;
                queue.markCompared(one, clock.instant().plus(COMPARED));
                return true;
            }
            kept = tell(one.target());
        } catch (IOException e) {
            boolean refused = e instanceof BrokerManagement.RefusedException;
            // It goes behind the others, the later the longer it has failed, so that one that always fails delays none
            // of them.
            Duration age = Duration.between(one.requestedAt(), clock.instant());
            queue.postpone(
                    one, clock.instant().plus(bounded(age.dividedBy(2), refused ? LONGEST_WAIT : LONGEST_PAUSE)));
            LOG.warn(
                    broker.name(),
                    broker.kind().keepsLogins()
                            ? "The broker {} could not be told of a device. The registry tells it again until it can:"
                                    + " {}"
                            : "The broker {} did not disconnect a client. The registry tells it again until it does:"
                                    + " {}",
                    broker.name(),
                    e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
            // A client that a broker cannot disconnect must not keep the others connected.
            if (refused && ++refusals < PATIENCE) {
                return true;
            }
            pause();
            return false;
        }
        refusals = 0;
        failures = 0;
        if (one.toldAt().isEmpty() && kept.ended()) {
            time.record(Duration.between(one.requestedAt(), clock.instant()));
        }
        boolean mine = one.toldAt().isPresent()
                ? over(one, kept.until())
                : queue.markTold(one, clock.instant().plus(AGAIN));
        if (!mine && broker.kind().keepsLogins()) {
            // This node stalled, and another finished the entry. The broker may just have been told outdated data.
            compare(broker, queue);
        }
        return true;
    }

    /** Compares, which may take minutes. While this node lives, the comparison stays with it. */
    private void compare(DisconnectionQueue.Entry whole) throws IOException, InterruptedException {
        renewedAt = clock.instant();
        comparing = Optional.of(whole);
        try {
            management.mend();
        } finally {
            comparing = Optional.empty();
        }
    }

    private boolean over(DisconnectionQueue.Entry one, Optional<Instant> until) {
        return (until.isPresent() && one.target() instanceof DisconnectionQueue.Target.OneDevice device)
                ? queue.reschedule(one, device.id(), broker.name(), until.get())
                : queue.done(one);
    }

    private Result tell(DisconnectionQueue.Target target) throws IOException, InterruptedException {
        if (target instanceof DisconnectionQueue.Target.OneDevice device) {
            return device.anew() ? management.anew(device.id()) : management.keep(device.id());
        }
        if (target instanceof DisconnectionQueue.Target.OneOperator operator) {
            // The operator's token is never good again, and nobody else gets the name before this is done.
            management.disconnect(operator.name());
        }
        return new Result(1, true, Optional.empty());
    }

    private static Duration bounded(Duration wait, Duration longest) {
        Duration least = wait.compareTo(SHORTEST_PAUSE) < 0 ? SHORTEST_PAUSE : wait;
        return least.compareTo(longest) < 0 ? least : longest;
    }

    /** Only the worker writes; others read. */
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void pause() {
        refusals = 0;
        pausedUntil = clock.instant()
                .plus(bounded(SHORTEST_PAUSE.multipliedBy(1L << Math.min(failures++, 10)), LONGEST_PAUSE));
    }

    /** Stops running work. Other nodes, or the next start, do what is left. */
    @Override
    public void close() {
        threads.shutdownNow();
        management.close();
    }
}
