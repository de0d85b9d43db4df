package io.muster.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Optional;

/**
 * What is measured.
 *
 * @param name in the report
 * @param database whose stock of serials it takes from, or null
 * @param opener opens what one thread works with
 * @param beside what goes on meanwhile
 */
record Operation(String name, String database, Opener opener, Optional<Beside> beside) {

    /**
     * A second load. Its answers are checked like all others, and not measured.
     *
     * @param warmUp the same without pauses, because seldom as it is done it would hardly be compiled
     * @param connections how many threads do it, one connection each
     */
    record Beside(Operation operation, Operation warmUp, int connections) {}

    Operation(String name, String database, Opener opener) {
        this(name, database, opener, Optional.empty());
    }

    /** Opens a connection with what to do on it. */
    @FunctionalInterface
    interface Opener {
        Task open() throws IOException, SQLException;
    }

    /** One connection, used by one thread. */
    interface Task extends AutoCloseable {

        /**
         * Does it once and checks the answer.
         *
         * @throws WrongAnswerException if the answer is not what was asked for
         */
        void run() throws IOException, SQLException;

        @Override
        void close() throws IOException, SQLException;
    }

    Task open() throws IOException, SQLException {
        return opener.open();
    }
}
