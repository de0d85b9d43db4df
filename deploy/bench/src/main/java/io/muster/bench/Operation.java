package io.muster.bench;

import java.io.IOException;
import java.sql.SQLException;

/**
 * What is measured.
 *
 * @param name in the report
 * @param database whose stock of serials it takes from, or null
 * @param opener opens what one thread works with
 */
record Operation(String name, String database, Opener opener) {

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
