// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.persistence.MasterKey;
import io.muster.persistence.Sql;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The right of a node to work on a job. Each batch of work is one transaction, which begins with {@link #hold} and ends
 * with {@link #write}. Holding writes the job's row. So if another node has taken the job meanwhile, or somebody
 * cancelled it, the batch rolls back, and every row is worked on once. Used by one thread.
 */
final class JobLease {

    /** Much longer than a batch takes. */
    static final Duration LENGTH = Duration.ofSeconds(30);

    /** The job is another node's, or has ended. Nothing of the present transaction is to be committed. */
    static final class LostException extends RuntimeException {

        private static final long serialVersionUID = 1;

        LostException(String job) {
            super("the job " + job + " is not this node's any more", null, false, false);
        }
    }

    /**
     * How far a job is.
     *
     * @param place of the last row that was worked on
     * @param parts how many parts its results have
     */
    record Progress(String place, int parts, long done, long failed) {}

    private final Job job;
    private final long turn;
    private final MasterKey key;
    private final Clock clock;
    private final BooleanSupplier goesOn;
    private final Consumer<String> witness;
    private Progress progress;

    /**
     * Takes the lease that is in the database.
     *
     * @param goesOn whether this node has time for another batch
     * @param witness hears of each step, for tests
     */
    JobLease(
            Job job,
            long turn,
            Progress progress,
            MasterKey key,
            Clock clock,
            BooleanSupplier goesOn,
            Consumer<String> witness) {
        this.job = job;
        this.turn = turn;
        this.progress = progress;
        this.key = key;
        this.clock = clock;
        this.goesOn = goesOn;
        this.witness = witness;
    }

    Job job() {
        return job;
    }

    Progress progress() {
        return progress;
    }

    MasterKey key() {
        return key;
    }

    /** Tells whether to begin another batch. If not, another node goes on, or this one later. */
    boolean goesOn() {
        witness.accept("before a batch");
        return goesOn.getAsBoolean();
    }

    /**
     * Begins the transaction of a batch.
     *
     * @throws LostException if another node has the job, or it was cancelled
     */
    void hold(Connection connection) throws SQLException {
        int rows = Sql.of(
                        "UPDATE job SET times_locked = times_locked + 1, due_at = ?"
                                + " WHERE id = ? AND turn = ? AND state = 'R'",
                        clock.instant().plus(LENGTH),
                        job.id(),
                        turn)
                .update()
                .in(connection);
        if (rows == 0) {
            throw new LostException(job.id());
        }
    }

    /**
     * Ends the transaction of a batch.
     *
     * @param place of its last row
     * @param results of its rows, in their order
     * @return the progress, which counts once the transaction is committed
     */
    Progress write(Connection connection, String place, List<Result> results) throws SQLException {
        List<Result> failed =
                results.stream().filter(result -> result.fault().isPresent()).toList();
        Progress now = new Progress(
                place,
                progress.parts() + (results.isEmpty() ? 0 : 1),
                progress.done() + results.size(),
                progress.failed() + failed.size());
        Sql.of(
                        "UPDATE job SET place = ?, parts = ?, done = ?, failed = ?, tries = 0 WHERE id = ?",
                        now.place(),
                        now.parts(),
                        now.done(),
                        now.failed(),
                        job.id())
                .update()
                .in(connection);
        if (!results.isEmpty()) {
            ByteArrayOutputStream lines = new ByteArrayOutputStream();
            results.forEach(result -> lines.writeBytes(result.line().getBytes(StandardCharsets.UTF_8)));
            JobData.RESULTS.insert(connection, job.id(), now.parts(), lines.toByteArray(), key);
        }
        if (!failed.isEmpty()) {
            ByteArrayOutputStream rows = new ByteArrayOutputStream();
            failed.forEach(result -> rows.writeBytes(result.again()));
            JobData.FAILURES.insert(connection, job.id(), now.parts(), rows.toByteArray(), key);
        }
        witness.accept("within a batch");
        return now;
    }

    /** Takes note that a batch is committed. */
    void committed(Progress now) {
        progress = now;
        witness.accept("after a batch");
    }
}
