// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.persistence.Database;
import java.util.List;

/** Undoes what a batch did, so that only its results are left. */
final class DryRunException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient List<Result> results;

    DryRunException(List<Result> results) {
        super("a dry run changes nothing", null, false, false);
        this.results = results;
    }

    /** Records the results, in a transaction of its own. */
    void record(Database database, JobLease lease, String place) {
        lease.committed(database.jdbcTransaction(connection -> {
            lease.hold(connection);
            return lease.write(connection, place, results);
        }));
    }
}
