// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.cdi.Part;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.operator.LineImport;
import io.muster.operator.SerialImport;
import io.muster.persistence.Database;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Imports expected serials that were uploaded. A node that goes on reads the rows from the first one, so that it knows
 * all serials, and stores those that no node has stored. Thread-safe.
 */
@Part
final class SerialJob {

    private static final int BATCH = 500;
    /** Failed rows are stored in one value, which the database limits. */
    private static final int MOST_BYTES = 2 << 20;

    private static final long MOST_FAILED = 100_000;
    /** After so many rows that were stored before, the lease is prolonged. */
    private static final long SKIPPED_AT_ONCE = 50_000;

    private final Database database;
    private final Fleets fleets;
    private final SerialImport serials;

    @Inject
    SerialJob(Database database, Fleets fleets, SerialImport serials) {
        this.database = database;
        this.fleets = fleets;
        this.serials = serials;
    }

    /** Works on it, and tells whether it is complete. */
    boolean work(JobLease lease) {
        Job job = lease.job();
        Fleet fleet = fleets.find(job.fleet()).orElseThrow(() -> new JobRunner.HopelessException("the fleet is gone"));
        byte[] head = JobData.INPUT
                .next(database, job.id(), -1, lease.key())
                .orElseThrow(() -> new JobRunner.HopelessException("the uploaded rows are gone"))
                .bytes();
        try (LineImport rows = serials.lines(fleet, !Jobs.isCsv(job), head)) {
            return read(lease, rows);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean read(JobLease lease, LineImport rows) throws IOException {
        Lines lines = new Lines(JobData.INPUT.stream(database, lease.job().id(), lease.key()), LineImport.MAX_LINE + 1);
        String place = lease.progress().place();
        long stored = place.isEmpty() ? 0 : Long.parseLong(place);
        long number = 0;
        for (Optional<byte[]> line = lines.next(); line.isPresent(); line = lines.next()) {
            number++;
            rows.take(number, line.get(), number <= stored);
            if (number <= stored && number % SKIPPED_AT_ONCE == 0) {
                database.jdbc(connection -> {
                    lease.hold(connection);
                    return null;
                });
            }
            if (rows.size() == BATCH || rows.bytes() >= MOST_BYTES) {
                if (!lease.goesOn()) {
                    return false;
                }
                store(lease, rows, number);
            }
        }
        if (rows.size() > 0) {
            if (!lease.goesOn()) {
                return false;
            }
            store(lease, rows, number);
        }
        return true;
    }

    private void store(JobLease lease, LineImport rows, long number) {
        Batch batch = new Batch(lease, rows, number);
        try {
            rows.store(batch);
            lease.committed(batch.progress);
        } catch (DryRunException e) {
            rows.clear();
            e.record(database, lease, String.valueOf(number));
        }
        if (lease.progress().failed() >= MOST_FAILED) {
            throw new JobRunner.HopelessException(MOST_FAILED + " rows are bad");
        }
    }

    private static final class Batch implements LineImport.Beside {

        private final JobLease lease;
        private final LineImport rows;
        private final long number;
        private JobLease.Progress progress;

        Batch(JobLease lease, LineImport rows, long number) {
            this.lease = lease;
            this.rows = rows;
            this.number = number;
        }

        @Override
        public void before(Connection connection) throws SQLException {
            lease.hold(connection);
        }

        @Override
        public void write(Connection connection, List<LineImport.Row> done) throws SQLException {
            List<Result> results = done.stream().map(this::result).toList();
            if (lease.job().dryRun()) {
                throw new DryRunException(results);
            }
            progress = lease.write(connection, String.valueOf(number), results);
        }

        private Result result(LineImport.Row row) {
            Map<String, Object> subject = new LinkedHashMap<>();
            subject.put("row", row.number());
            row.serial().ifPresent(serial -> subject.put("serial", serial));
            return new Result(subject, row.fault(), row.fault().isPresent() ? rows.again(row) : new byte[0]);
        }
    }
}
