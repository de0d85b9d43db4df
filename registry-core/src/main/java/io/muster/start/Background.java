// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.approval.Approvals;
import io.muster.audit.Audit;
import io.muster.broker.Disconnectors;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.credential.LastUses;
import io.muster.job.JobRunner;
import io.muster.operator.Imports;
import io.muster.persistence.Changes;
import io.muster.persistence.Database;
import io.muster.record.Sealer;
import io.muster.registration.Spending;
import io.muster.statistics.Statistics;
import io.muster.token.SigningKeys;
import io.muster.webhook.Deliverer;
import io.muster.webhook.Outbox;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The periodic tasks, on threads of their own. */
@Part
final class Background {

    private static final Duration SECOND = Duration.ofSeconds(1);

    /** A thread of its own, so that no task that waits for a database or a broker delays it. */
    private final ScheduledExecutorService polling = threads(1, "muster-changes");

    private final ScheduledExecutorService threads = threads(2, "muster-background");
    private final Database database;
    private final Changes changes;
    private final SigningKeys signingKeys;
    private final Disconnectors disconnectors;
    private final Audit audit;
    private final LastUses lastUses;
    private final Imports imports;
    private final Outbox outbox;
    private final Deliverer webhooks;
    private final Sealer sealer;
    private final JobRunner jobs;
    private final Statistics statistics;
    private final Approvals approvals;
    private final Clock clock;

    @Inject
    Background(
            Database database,
            Changes changes,
            SigningKeys signingKeys,
            Disconnectors disconnectors,
            Audit audit,
            LastUses lastUses,
            Imports imports,
            Outbox outbox,
            Deliverer webhooks,
            Sealer sealer,
            JobRunner jobs,
            Statistics statistics,
            Approvals approvals,
            @Ours Clock clock) {
        this.database = database;
        this.changes = changes;
        this.signingKeys = signingKeys;
        this.disconnectors = disconnectors;
        this.audit = audit;
        this.lastUses = lastUses;
        this.imports = imports;
        this.outbox = outbox;
        this.webhooks = webhooks;
        this.sealer = sealer;
        this.jobs = jobs;
        this.statistics = statistics;
        this.approvals = approvals;
        this.clock = clock;
    }

    void start() {
        changes.poll();
        every(polling, Changes.INTERVAL, changes::poll);
        every(threads, SECOND, changes::settle);
        every(threads, SigningKeys.INTERVAL, signingKeys::tend);
        disconnectors.start();
        every(threads, Disconnectors.INTERVAL, disconnectors::wake);
        every(threads, SECOND, audit::flush);
        every(threads, SECOND.multipliedBy(10), lastUses::flush);
        every(threads, Imports.INTERVAL, imports::tend);
        outbox.refresh();
        every(threads, Deliverer.INTERVAL, webhooks::tend);
        every(threads, Sealer.INTERVAL, sealer::tend);
        every(threads, JobRunner.INTERVAL, jobs::tend);
        every(threads, Statistics.INTERVAL, this::writeStatistics);
        every(threads, Duration.ofMinutes(1), () -> Spending.forgetExpired(database, clock));
    }

    private void writeStatistics() {
        statistics.sample(approvals::waiting);
        statistics.flush();
    }

    private static void every(ScheduledExecutorService threads, Duration interval, Runnable task) {
        var unused =
                threads.scheduleWithFixedDelay(task, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static ScheduledExecutorService threads(int number, String name) {
        return Executors.newScheduledThreadPool(number, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Starts no further task. */
    void stop() {
        polling.shutdown();
        threads.shutdown();
    }

    /** Waits for running tasks, for a limited time. */
    void await() {
        try {
            for (ScheduledExecutorService one : List.of(polling, threads)) {
                one.awaitTermination(5, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
