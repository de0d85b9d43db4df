// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.log.RareLog;
import io.muster.operator.Operators;
import io.muster.operator.People;
import io.muster.persistence.Database;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.persistence.MasterKey;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works on jobs, on one at a time. A node that dies leaves its lease, which ends after half a minute; then another node
 * goes on with the job. Thread-safe; {@link #tend} is called by one thread.
 */
@Part
public final class JobRunner implements AutoCloseable {

    /** How often to look for a job. */
    public static final Duration INTERVAL = Duration.ofSeconds(1);

    private static final RareLog LOG = RareLog.of(JobRunner.class);
    private static final Logger QUIET = LoggerFactory.getLogger(JobRunner.class);
    /** After this long a job makes room for those of other fleets. */
    private static final Duration TURN = Duration.ofSeconds(20);

    private static final Duration PAUSE = Duration.ofSeconds(10);
    private static final int TICKS_PER_COUNT = 15;
    private static final int TICKS_PER_CLEANING = 60;

    private final JobQueue queue;
    private final Jobs jobs;
    private final SerialJob serials;
    private final DeviceJob devices;
    private final Operators operators;
    private final People people;
    private final Clock clock;
    private final Consumer<String> witness;
    private final AtomicLong waiting = new AtomicLong();
    private final AtomicLong running = new AtomicLong();
    private final Counter done;
    private final Counter failed;
    private final Counter rowsDone;
    private final Counter rowsFailed;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final ExecutorService thread = Executors.newSingleThreadExecutor(work -> {
        Thread one = new Thread(work, "muster-jobs");
        one.setDaemon(true);
        return one;
    });
    private int ticks;
    private volatile boolean closing;

    @Inject
    JobRunner(
            Database database,
            Audit audit,
            Jobs jobs,
            SerialJob serials,
            DeviceJob devices,
            Operators operators,
            People people,
            MusterConfig config,
            @Ours MeterRegistry meters,
            @Ours Clock clock) {
        this(database, audit, jobs, serials, devices, operators, people, config, meters, clock, step -> {});
    }

    /** Tells the witness of each step. */
    JobRunner(
            Database database,
            Audit audit,
            Jobs jobs,
            SerialJob serials,
            DeviceJob devices,
            Operators operators,
            People people,
            MusterConfig config,
            MeterRegistry meters,
            Clock clock,
            Consumer<String> witness) {
        this.queue = new JobQueue(database, audit, config.jobs().keep(), clock);
        this.jobs = jobs;
        this.serials = serials;
        this.devices = devices;
        this.operators = operators;
        this.people = people;
        this.clock = clock;
        this.witness = witness;
        this.done = counter(meters, "done");
        this.failed = counter(meters, "failed");
        this.rowsDone = rows(meters, "done");
        this.rowsFailed = rows(meters, "failed");
        gauge(meters, "waiting", waiting);
        gauge(meters, "running", running);
    }

    private static Counter counter(MeterRegistry meters, String outcome) {
        return Counter.builder("muster.jobs.ended")
                .description("jobs that this node worked on to their end")
                .tag("outcome", outcome)
                .register(meters);
    }

    private static Counter rows(MeterRegistry meters, String outcome) {
        return Counter.builder("muster.job.rows")
                .description("rows of jobs that this node worked on")
                .tag("outcome", outcome)
                .register(meters);
    }

    private static void gauge(MeterRegistry meters, String state, AtomicLong number) {
        Gauge.builder("muster.jobs", number, AtomicLong::get)
                .description("jobs that have not ended, of all nodes together")
                .tag("state", state)
                .register(meters);
    }

    /** Begins to work on a job, if there is one and this node works on none. Never throws. */
    public void tend() {
        try {
            if (ticks % TICKS_PER_COUNT == 0) {
                Jobs.Counts counts = jobs.count();
                waiting.set(counts.waiting());
                running.set(counts.running());
            }
            if (ticks++ % TICKS_PER_CLEANING == 0) {
                jobs.deleteExpired();
            }
            if (!closing && busy.compareAndSet(false, true)) {
                thread.execute(this::work);
            }
        } catch (RejectedExecutionException e) {
            busy.set(false);
        } catch (RuntimeException e) {
            LOG.warn("tend", "Jobs cannot be tended now: {}", e.getMessage());
        }
    }

    private void work() {
        try {
            boolean more = true;
            while (more && !closing) {
                more = one();
            }
        } catch (RuntimeException e) {
            LOG.warn("work", "No job can be taken now: {}", e.getMessage());
        } finally {
            busy.set(false);
        }
    }

    private void countRows(JobLease.Progress before, JobLease.Progress after) {
        long bad = after.failed() - before.failed();
        rowsFailed.increment((double) bad);
        rowsDone.increment((double) (after.done() - before.done() - bad));
    }

    /** Works on a job, to its end or for a while, and tells whether there was one. */
    boolean one() {
        Optional<JobQueue.Taken> taken = queue.take();
        taken.ifPresent(this::work);
        return taken.isPresent();
    }

    private void work(JobQueue.Taken taken) {
        Job job = taken.job();
        witness.accept("taken");
        if (taken.tries() > JobQueue.MOST_TRIES) {
            end(
                    job,
                    taken.turn(),
                    taken.progress(),
                    Optional.of("it broke off " + JobQueue.MOST_TRIES + " times at one place"));
            return;
        }
        if (!isPermitted(job)) {
            end(
                    job,
                    taken.turn(),
                    taken.progress(),
                    Optional.of("the operator " + job.operator() + " may not do this any more"));
            return;
        }
        Optional<MasterKey> key = jobs.key(job.id());
        if (key.isEmpty()) {
            return;
        }
        QUIET.info(
                "This node works on the job {} ({}) of the fleet {}, after {} rows",
                job.id(),
                job.kind().word(),
                job.fleet(),
                job.done());
        JobLease lease =
                new JobLease(job, taken.turn(), taken.progress(), key.get(), clock, new Turn(job)::goesOn, witness);
        try {
            boolean complete = job.kind().isOfDevices() ? devices.work(lease) : serials.work(lease);
            if (complete) {
                witness.accept("before the end");
                end(job, taken.turn(), lease.progress(), Optional.empty());
                witness.accept("after the end");
            } else {
                queue.release(job, taken.turn(), Duration.ZERO, true);
            }
        } catch (JobLease.LostException lost) {
            QUIET.debug("Left, and nothing of the present batch was committed", lost);
        } catch (HopelessException e) {
            end(job, taken.turn(), lease.progress(), Optional.of(e.getMessage()));
        } catch (DatabaseUnavailableException | RegistryException e) {
            LOG.warn("away " + job.id(), "The job {} waits: {}", job.id(), e.getMessage());
            release(job, taken.turn(), true);
        } catch (RuntimeException e) {
            LOG.warn("broke off " + job.id(), "The job {} broke off: {}", job.id(), e.toString());
            release(job, taken.turn(), false);
        } finally {
            countRows(taken.progress(), lease.progress());
        }
    }

    /** Tells whether the operator who began a job still has the right to it. */
    private boolean isPermitted(Job job) {
        return operators
                .find(job.operator())
                .or(() -> people.find(job.operator()))
                .filter(operator -> operator.may(job.kind().right(), job.fleet()))
                .isPresent();
    }

    private void end(Job job, long turn, JobLease.Progress progress, Optional<String> error) {
        if (queue.end(job, turn, progress, error.isPresent() ? Job.State.FAILED : Job.State.DONE, error)) {
            (error.isPresent() ? failed : done).increment();
        }
    }

    private void release(Job job, long turn, boolean innocent) {
        try {
            queue.release(job, turn, PAUSE, innocent);
        } catch (DatabaseUnavailableException e) {
            QUIET.debug("The lease ends by itself", e);
        }
    }

    /** The time that a job has before it makes room. It begins with the first batch: before, rows may be read again. */
    private final class Turn {

        private final Job job;
        private long until;
        private boolean begun;

        Turn(Job job) {
            this.job = job;
        }

        boolean goesOn() {
            if (!begun) {
                begun = true;
                until = System.nanoTime() + TURN.toNanos();
            }
            return !closing && isPermitted(job) && (System.nanoTime() < until || !queue.othersWait(job));
        }
    }

    /** A job cannot go on, however often it is tried. */
    static final class HopelessException extends RuntimeException {

        private static final long serialVersionUID = 1;

        HopelessException(String message) {
            super(message, null, false, false);
        }
    }

    /** Gives up what is under way, so that another node goes on at once. Interrupts no thread. */
    @Override
    public void close() {
        closing = true;
        thread.shutdown();
        try {
            thread.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
