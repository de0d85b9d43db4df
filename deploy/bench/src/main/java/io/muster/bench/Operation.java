// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Optional;

/**
 * An operation to measure.
 *
 * @param name in the report
 * @param database the one whose stock of serials it takes from, or null
 * @param opener opens the connection of one thread
 * @param beside a second load at the same time
 */
record Operation(String name, String database, Opener opener, Optional<Beside> beside) {

    /**
     * A second load. Its answers are checked like all others, but not measured.
     *
     * @param warmUp the same without pauses: it is so rare that it would hardly be compiled otherwise
     * @param connections how many threads do it, one connection each
     */
    record Beside(Operation operation, Operation warmUp, int connections) {}

    Operation(String name, String database, Opener opener) {
        this(name, database, opener, Optional.empty());
    }

    /** Opens a connection, and returns the task on it. */
    @FunctionalInterface
    interface Opener {
        Task open() throws IOException, SQLException;
    }

    /** One connection, used by one thread. */
    interface Task extends AutoCloseable {

        /**
         * Does it once and checks the answer.
         *
         * @throws WrongAnswerException if the answer is wrong
         */
        void run() throws IOException, SQLException;

        @Override
        void close() throws IOException, SQLException;
    }

    Task open() throws IOException, SQLException {
        return opener.open();
    }
}
