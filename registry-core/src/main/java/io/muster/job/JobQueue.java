// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.audit.Audit;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The jobs that a node may work on. Those of one fleet are done one after the other, in the order in which they were
 * made. Fleets take turns. All nodes share it. Thread-safe.
 */
final class JobQueue {

    /** When a job is due that has ended. */
    static final long NEVER = Long.MAX_VALUE;

    /** So many leases in a row may end without any progress. */
    static final int MOST_TRIES = 5;

    private static final int LOOKED_AT = 10;
    private static final String MAY_BE_TAKEN = " FROM job j WHERE j.due_at <= ? AND NOT EXISTS"
            + " (SELECT 1 FROM job o WHERE o.fleet = j.fleet AND o.state IN ('W', 'R') AND o.id < j.id)";
    private static final String DUE = "SELECT j.id, j.turn" + MAY_BE_TAKEN + " ORDER BY j.due_at LIMIT " + LOOKED_AT;
    private static final String OTHERS = "SELECT 1" + MAY_BE_TAKEN + " AND j.fleet <> ? LIMIT 1";
    private static final String TAKE = "UPDATE job SET state = 'R', turn = turn + 1, tries = tries + 1, due_at = ?,"
            + " started_at = COALESCE(started_at, ?) WHERE id = ? AND turn = ? AND state IN ('W', 'R') AND due_at <= ?";

    /** A job that may be taken. */
    record Due(String id, long turn) {}

    /**
     * A job that was taken.
     *
     * @param tries how many leases ended without progress, this one included
     */
    record Taken(Job job, long turn, int tries, JobLease.Progress progress) {}

    private final Database database;
    private final Audit audit;
    private final Duration keep;
    private final Clock clock;

    /**
     * Works on the database.
     *
     * @param keep how long a job is kept that has ended
     */
    JobQueue(Database database, Audit audit, Duration keep, Clock clock) {
        this.database = database;
        this.audit = audit;
        this.keep = keep;
        this.clock = clock;
    }

    /** Takes a job that no node works on; empty if there is none. */
    Optional<Taken> take() {
        for (Due due : due()) {
            Optional<Taken> taken = database.jdbcTransaction(connection -> take(connection, due));
            if (taken.isPresent()) {
                return taken;
            }
        }
        return Optional.empty();
    }

    private List<Due> due() {
        return database.jdbc(Sql.of(DUE, clock.millis()).list(row -> new Due(row.getString(1), row.getLong(2))));
    }

    /** A compare-and-swap, so that one node has it. It then reads the progress that the last node committed. */
    private Optional<Taken> take(Connection connection, Due due) throws SQLException {
        long now = clock.millis();
        int rows = Sql.of(TAKE, clock.instant().plus(JobLease.LENGTH), now, due.id(), due.turn(), now)
                .update()
                .in(connection);
        if (rows == 0) {
            return Optional.empty();
        }
        return Sql.of("SELECT " + Job.COLUMNS + ", tries, place, parts FROM job WHERE id = ?", due.id())
                .first(row -> {
                    Job job = Job.of(row);
                    return new Taken(
                            job,
                            due.turn() + 1,
                            row.getInt(Job.WIDTH + 1),
                            new JobLease.Progress(
                                    row.getString(Job.WIDTH + 2), row.getInt(Job.WIDTH + 3), job.done(), job.failed()));
                })
                .in(connection);
    }

    /** Tells whether a job of another fleet may be taken now. */
    boolean othersWait(Job job) {
        return database.jdbc(Sql.of(OTHERS, clock.millis(), job.fleet()).exists());
    }

    /**
     * Gives a lease back before it ends: anybody may take the job after this time.
     *
     * @param innocent whether the job is not to blame
     */
    void release(Job job, long turn, Duration pause, boolean innocent) {
        database.jdbc(Sql.of(
                        "UPDATE job SET due_at = ?, tries = GREATEST(tries - ?, 0)"
                                + " WHERE id = ? AND turn = ? AND state = 'R'",
                        clock.instant().plus(pause),
                        innocent ? 1 : 0,
                        job.id(),
                        turn)
                .update());
    }

    /**
     * Ends a job.
     *
     * @param state done or failed
     * @return false if it is not this node's any more
     */
    boolean end(Job job, long turn, JobLease.Progress progress, Job.State state, Optional<String> error) {
        boolean ended = database.transaction(em -> {
            int rows = Database.within(
                    em,
                    Sql.of(
                                    "UPDATE job SET state = ?, error = ?, total = COALESCE(?, total), ended_at = ?, due_at = ?, expires_at = ?"
                                            + " WHERE id = ? AND turn = ? AND state = 'R'",
                                    state.letter(),
                                    error.orElse(null),
                                    state == Job.State.DONE ? progress.done() : null,
                                    clock.millis(),
                                    NEVER,
                                    clock.instant().plus(keep),
                                    job.id(),
                                    turn)
                            .update());
            if (rows == 1) {
                // The next one of this fleet has its turn after those of others.
                Database.within(
                        em,
                        Sql.of("UPDATE job SET due_at = ? WHERE fleet = ? AND state = 'W'", clock.millis(), job.fleet())
                                .update());
                audit.record(
                        em,
                        Audit.Type.JOB_ENDED,
                        job.fleet(),
                        null,
                        null,
                        job.operator(),
                        job.kind().word() + (job.dryRun() ? ", dry run" : "") + ", " + state.word() + ": "
                                + progress.done() + " rows, " + progress.failed() + " failed"
                                + error.map(text -> ", " + text).orElse("") + "; job " + job.id());
            }
            return rows == 1;
        });
        if (ended) {
            JobData.INPUT.delete(database, job.id());
        }
        return ended;
    }
}
