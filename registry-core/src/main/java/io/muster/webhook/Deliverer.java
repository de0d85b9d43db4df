// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.log.RareLog;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sends what the outbox has, at least once. A webhook gets one message at a time, from one node, so a slow receiver
 * holds one thread. After a failure its thread is free, and nothing is sent to it for a while. A node that dies leaves
 * its leases, which end after a minute. Thread-safe; {@link #tend} is called by one thread.
 */
@Part
public final class Deliverer implements AutoCloseable {

    /** How often to look for what is due. */
    public static final Duration INTERVAL = Duration.ofSeconds(1);

    private static final RareLog LOG = RareLog.of(Deliverer.class);
    private static final int AT_ONCE = 16;
    private static final int TESTS_AT_ONCE = 4;
    private static final int PAGE = 20;
    /** After this long a webhook makes room for others. Together with one attempt it is much shorter than a lease. */
    private static final Duration TURN = Duration.ofSeconds(10);

    static final Duration LEASE = Duration.ofSeconds(60);
    private static final int TICKS_PER_AGE = 15;

    private final DeliveryQueue queue;
    private final Webhooks webhooks;
    private final Outbox outbox;
    private final WebhookSender sender;
    private final DeliveryRetention retention;
    private final Ids ids;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final Semaphore threads = new Semaphore(AT_ONCE);
    private final Semaphore tests = new Semaphore(TESTS_AT_ONCE);
    private final AtomicLong age = new AtomicLong();
    private final Counter accepted;
    private final Counter refused;
    private final Counter dead;
    private final ExecutorService pool = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "muster-webhooks");
        thread.setDaemon(true);
        return thread;
    });
    private int ticks;
    private volatile boolean closing;

    @Inject
    Deliverer(
            Database database,
            Audit audit,
            Webhooks webhooks,
            Outbox outbox,
            WebhookSender sender,
            DeliveryRetention retention,
            Ids ids,
            @Ours MeterRegistry meters,
            @Ours Clock clock) {
        this.queue = new DeliveryQueue(database, audit, clock);
        this.webhooks = webhooks;
        this.outbox = outbox;
        this.sender = sender;
        this.retention = retention;
        this.ids = ids;
        this.clock = clock;
        this.accepted = counter(meters, "accepted");
        this.refused = counter(meters, "failed");
        this.dead = counter(meters, "dead");
        TimeGauge.builder("muster.webhook.outbox.age", age::get, TimeUnit.MILLISECONDS)
                .description("how long the oldest message of any webhook waits")
                .register(meters);
    }

    private static Counter counter(MeterRegistry meters, String outcome) {
        return Counter.builder("muster.webhook.attempts")
                .description("attempts to deliver a message to a webhook")
                .tag("outcome", outcome)
                .register(meters);
    }

    /** Begins to send what is due, as far as there are threads. Never throws. */
    public void tend() {
        try {
            outbox.refresh();
            if (ticks++ % TICKS_PER_AGE == 0) {
                age.set(outbox.isEmpty() ? 0 : queue.age().toMillis());
                retention.tend();
            }
            if (!outbox.isEmpty()) {
                queue.ready(AT_ONCE).forEach(this::begin);
            }
        } catch (RuntimeException e) {
            LOG.warn("tend", "Nothing is sent to webhooks now: {}", e.getMessage());
        }
    }

    private void begin(DeliveryQueue.Ready one) {
        if (closing || !threads.tryAcquire()) {
            return;
        }
        try {
            pool.execute(() -> {
                try {
                    turn(one);
                } catch (RuntimeException e) {
                    LOG.warn(
                            "turn " + one.webhook(),
                            "The webhook {} of the fleet {} was left: {}",
                            one.webhook(),
                            one.fleet(),
                            e.getMessage());
                } finally {
                    threads.release();
                }
            });
        } catch (RejectedExecutionException e) {
            threads.release();
        }
    }

    /** Sends what is due for a webhook, until nothing is, an attempt fails, or others want their turn. */
    private void turn(DeliveryQueue.Ready one) {
        Optional<DeliveryQueue.Lease> lease = queue.take(one, LEASE);
        if (lease.isEmpty()) {
            return;
        }
        long end = System.nanoTime() + TURN.toNanos();
        boolean goOn = true;
        while (goOn && !closing && System.nanoTime() < end) {
            goOn = sendSome(lease.get(), end);
        }
        queue.release(lease.get());
    }

    /** Returns whether there may be more to send in this turn. */
    private boolean sendSome(DeliveryQueue.Lease lease, long end) {
        Optional<Webhook> webhook = queue.webhook(lease);
        if (webhook.isEmpty()) {
            return false;
        }
        List<byte[]> secrets = webhooks.secrets(lease.webhook());
        List<DeliveryQueue.Due> some = queue.due(lease, PAGE);
        for (DeliveryQueue.Due due : some) {
            if (closing || System.nanoTime() >= end || !send(webhook.get(), secrets, due)) {
                return false;
            }
        }
        return some.size() == PAGE;
    }

    private boolean send(Webhook webhook, List<byte[]> secrets, DeliveryQueue.Due due) {
        Instant now = clock.instant();
        WebhookSender.Result result = sender.send(webhook.form().url(), secrets, due.webhookId(), due.body(), now);
        if (result.accepted()) {
            queue.delivered(webhook, due, result);
            accepted.increment();
            return true;
        }
        if (closing) {
            // It may have failed because this node stops. Another node sends it, perhaps again.
            return false;
        }
        int attempts = due.attempts() + 1;
        Duration since = Duration.between(due.begunAt(), now);
        Optional<Instant> next = result.gone()
                ? Optional.empty()
                : Schedule.next(attempts, since, result.retryAfter(), random.nextDouble())
                        .map(clock.instant()::plus);
        queue.failed(webhook, due, result, next, Schedule.pause(webhook.failures() + 1, random.nextDouble()));
        (next.isPresent() ? refused : dead).increment();
        if (result.gone()) {
            webhooks.disable(webhook);
        }
        LOG.warn(
                "failed " + webhook.id(),
                "The webhook {} of the fleet {} did not accept a message: {}",
                webhook.id(),
                webhook.fleet(),
                result.error().orElse(""));
        return false;
    }

    /**
     * Sends a message of the type {@code test} now, even to a webhook that is disabled, and waits for the answer.
     * Nothing of it is recorded.
     *
     * @throws RegistryException {@code TOO_BUSY} if too many tests are under way
     */
    public WebhookSender.Result test(Webhook webhook) {
        if (!tests.tryAcquire()) {
            throw RegistryException.later(ProblemType.TOO_BUSY, "too many tests of webhooks", Duration.ofSeconds(1));
        }
        try {
            String id = Ids.hex(ids.next());
            Instant now = clock.instant();
            String body = Outbox.body(EventTypes.TEST, now, Map.of("fleet", webhook.fleet()));
            return sender.send(webhook.form().url(), webhooks.secrets(webhook.id()), id, body, now);
        } finally {
            tests.release();
        }
    }

    /** Ends what is under way. Interrupts no thread, because one may be using the embedded database. */
    @Override
    public void close() {
        closing = true;
        sender.close();
        pool.shutdown();
        try {
            pool.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
