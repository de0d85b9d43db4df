package io.muster.broker;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.muster.broker.BrokerManagement.Kept;
import io.muster.config.MusterConfig.Broker;
import io.muster.credential.BrokerLogins;
import io.muster.credential.ClientAuthenticator;
import io.muster.device.Disconnections;
import io.muster.device.Disconnections.Due;
import io.muster.device.Disconnections.Whom;
import io.muster.fleet.Fleets;
import io.muster.persistence.Changes;
import io.muster.problem.RareLog;
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
 * Throws devices and operators off one broker: tells it, again and again until it says that they are gone, and once more some seconds
 * later, because another node may have let one in before it heard. Whom to throw off stands in {@link Disconnections}. A broker that keeps
 * the logins of devices itself is told of those in the same way, and compared with the registry as a whole time and again. Thread-safe.
 */
public final class Disconnector implements AutoCloseable {

    /** How often to look for what other nodes left, or what is due later. */
    public static final Duration INTERVAL = Duration.ofMillis(500);

    /** How long what is known on any node may be old, and somebody may take to be let in by it. */
    private static final Duration AGAIN = Changes.INTERVAL.multipliedBy(4).plusSeconds(2);

    private static final Duration LEASE = Duration.ofSeconds(30);

    /** How often a broker that keeps logins is compared with the registry. */
    private static final Duration COMPARED = Duration.ofMinutes(5);

    /** How long that may take before another node does it too, which does no harm. */
    private static final Duration COMPARING = Duration.ofMinutes(10);

    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final int THREADS = 8;
    private static final int BATCH = 64;

    /** How many refusals one after the other mean that it refuses everything. */
    private static final int PATIENCE = 8;

    private static final RareLog LOG = RareLog.of(Disconnector.class);

    private final Broker broker;
    private final BrokerManagement management;
    private final Disconnections disconnections;
    private final Clock clock;
    private final Timer time;
    private final ExecutorService threads;
    private final AtomicInteger running = new AtomicInteger();
    private volatile int failures;
    private volatile int refusals;
    private volatile Instant pausedUntil = Instant.MIN;

    /**
     * Throws off one broker that has a management.
     *
     * @param meters gets {@code muster.broker.disconnect}, the time from the commit that ends somebody's right to be connected until
     *     the broker has first been told, and of a broker that keeps logins {@code muster.broker.repaired}, the things that differed
     */
    public static Disconnector of(
            Broker broker,
            Disconnections disconnections,
            ClientAuthenticator authenticator,
            BrokerLogins logins,
            Fleets fleets,
            Clock clock,
            MeterRegistry meters) {
        if (!broker.kind().keepsLogins()) {
            return new Disconnector(
                    broker, HttpManagement.of(broker, authenticator::used), disconnections, clock, meters);
        }
        MqttControl control = new MqttControl(
                broker.management().orElseThrow(),
                () -> compare(broker, disconnections),
                (device, key) -> used(broker, authenticator, device, key));
        Counter repaired = Counter.builder("muster.broker.repaired")
                .description("What a broker had that differed from the registry, and was mended")
                .tag("broker", broker.name())
                .register(meters);
        return new Disconnector(
                broker,
                new MosquittoManagement(broker, logins, fleets, control, repaired),
                disconnections,
                clock,
                meters);
    }

    private static void compare(Broker broker, Disconnections disconnections) {
        try {
            disconnections.requestWhole(broker.name());
        } catch (RuntimeException e) {
            // The database is away: then it is compared when it is due anyway.
            LOG.warn("database", "The broker {} is to be compared later: {}", broker.name(), e.getMessage());
        }
    }

    private static void used(Broker broker, ClientAuthenticator authenticator, DeviceId device, String key) {
        try {
            authenticator.usedAtBroker(device, key);
        } catch (RuntimeException e) {
            // It is noted when the device connects the next time.
            LOG.warn("database", "A connection to the broker {} is not noted: {}", broker.name(), e.getMessage());
        }
    }

    private Disconnector(
            Broker broker,
            BrokerManagement management,
            Disconnections disconnections,
            Clock clock,
            MeterRegistry meters) {
        this.broker = broker;
        this.management = management;
        this.disconnections = disconnections;
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

    /** Has a broker that keeps logins compared with the registry; later it is by itself. Asked once, at the start. */
    public void start() {
        if (broker.kind().keepsLogins()) {
            compare(broker, disconnections);
        }
    }

    /** Has everything done that is due, on other threads. Returns at once. */
    public void wake() {
        if (running.get() >= THREADS || clock.instant().isBefore(pausedUntil)) {
            return;
        }
        running.incrementAndGet();
        try {
            threads.execute(() -> {
                try {
                    work();
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
            List<Due> due = disconnections.due(broker.name(), BATCH);
            while (!due.isEmpty() && !clock.instant().isBefore(pausedUntil)) {
                for (Due one : due) {
                    if (disconnections.take(one, one.whom() instanceof Whom.Everybody ? COMPARING : LEASE)
                            && !handle(one)) {
                        return;
                    }
                }
                due = disconnections.due(broker.name(), BATCH);
                if (due.size() > 1) {
                    wake();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // The database is away: it is all still there at the next look.
            LOG.warn(
                    "database",
                    "What is to be thrown off the broker {} cannot be read: {}",
                    broker.name(),
                    e.getMessage());
        }
    }

    /** Returns whether to go on. */
    private boolean handle(Due one) throws InterruptedException {
        if (one.whom() instanceof Whom.Devices many) {
            disconnections.expand(one, many, broker.name());
            return true;
        }
        Kept kept;
        try {
            if (one.whom() instanceof Whom.Everybody) {
                management.mend();
                refusals = 0;
                failures = 0;
                disconnections.compared(one, clock.instant().plus(COMPARED));
                return true;
            }
            kept = tell(one.whom());
        } catch (IOException e) {
            // Behind the others, and the longer it fails the later: one that always fails keeps none of them waiting.
            Duration age = Duration.between(one.requestedAt(), clock.instant());
            disconnections.putBack(one, clock.instant().plus(bounded(age.dividedBy(2))));
            LOG.warn(
                    broker.name(),
                    broker.kind().keepsLogins()
                            ? "The broker {} was not told of a device, and is told again until it is: {}"
                            : "The broker {} did not throw somebody off, and is told again until it does: {}",
                    broker.name(),
                    e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
            // One that a broker cannot throw off must not keep the others connected.
            if (e instanceof BrokerManagement.RefusedException && ++refusals < PATIENCE) {
                return true;
            }
            pause();
            return false;
        }
        refusals = 0;
        failures = 0;
        if (one.toldAt().isPresent()) {
            over(one, kept.until());
            return true;
        }
        if (kept.ended()) {
            time.record(Duration.between(one.requestedAt(), clock.instant()));
        }
        disconnections.told(one, clock.instant().plus(AGAIN));
        return true;
    }

    private void over(Due one, Optional<Instant> until) {
        if (until.isPresent() && one.whom() instanceof Whom.OneDevice device) {
            disconnections.again(one, device.id(), broker.name(), until.get());
        } else {
            disconnections.done(one);
        }
    }

    private Kept tell(Whom whom) throws IOException, InterruptedException {
        if (whom instanceof Whom.OneDevice device) {
            return management.keep(device.id());
        }
        if (whom instanceof Whom.OneOperator operator) {
            // None is ever good again, nor another of its name.
            management.disconnect(operator.name());
        }
        return new Kept(1, true, Optional.empty());
    }

    private static Duration bounded(Duration wait) {
        Duration least = wait.compareTo(SHORTEST_PAUSE) < 0 ? SHORTEST_PAUSE : wait;
        return least.compareTo(LONGEST_PAUSE) < 0 ? least : LONGEST_PAUSE;
    }

    private void pause() {
        refusals = 0;
        pausedUntil = clock.instant().plus(bounded(SHORTEST_PAUSE.multipliedBy(1L << Math.min(failures++, 10))));
    }

    /** Ends what runs; what is not done is left to other nodes, and to the next start. */
    @Override
    public void close() {
        threads.shutdownNow();
        management.close();
    }
}
