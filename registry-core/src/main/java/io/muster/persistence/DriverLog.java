// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Keeps the MariaDB driver from logging what the database refuses. Its message quotes the row, with serial or hash. A
 * taken serial is found by such a refusal, so anybody can cause as many as they like. Nothing is lost: each refusal is
 * an exception too, and the code that gets it logs those that are faults.
 */
final class DriverLog {

    // Hold the logger: the log forgets the level of a logger that nobody holds.
    private static final Logger REFUSALS = Logger.getLogger("org.mariadb.jdbc.message.server.ErrorPacket");

    private DriverLog() {}

    static void silence() {
        REFUSALS.setLevel(Level.OFF);
    }
}
