// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.persistence.Database;
import io.muster.persistence.MasterKey;
import io.muster.persistence.Sql;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/** The data of jobs, in parts that are small enough for memory. Each is sealed under the key of its job. */
enum JobData {
    /** The text that was uploaded. */
    INPUT("I"),
    /** The outcome of each row. */
    RESULTS("R"),
    /** The failed rows, to be corrected. */
    FAILURES("F");

    /** How large a part of what was uploaded is. */
    static final int PART = 512 * 1024;

    private static final int DELETED_AT_ONCE = 20;

    private final String letter;

    JobData(String letter) {
        this.letter = letter;
    }

    /** A part, and its number. */
    record Part(int number, byte[] bytes) {}

    private String purpose(String job, int part) {
        return "job:" + job + ":" + letter + ":" + part;
    }

    void insert(Connection connection, String job, int part, byte[] bytes, MasterKey key) throws SQLException {
        Sql.of(
                        "INSERT INTO job_data (job, kind, part, sealed) VALUES (?, ?, ?, ?)",
                        job,
                        letter,
                        part,
                        key.seal(bytes, purpose(job, part)))
                .update()
                .in(connection);
    }

    /** Returns the next part behind this one. */
    Optional<Part> next(Database database, String job, int after, MasterKey key) {
        return database.jdbc(Sql.of(
                                "SELECT part, sealed FROM job_data WHERE job = ? AND kind = ? AND part > ?"
                                        + " ORDER BY job, kind, part LIMIT 1",
                                job,
                                letter,
                                after)
                        .first(row -> new Part(row.getInt(1), row.getBytes(2))))
                .map(part -> new Part(part.number(), key.open(part.bytes(), purpose(job, part.number()))));
    }

    /** Deletes all parts, in small transactions. */
    void delete(Database database, String job) {
        int deleted = DELETED_AT_ONCE;
        while (deleted == DELETED_AT_ONCE) {
            deleted = database.jdbc(
                    Sql.of("DELETE FROM job_data WHERE job = ? AND kind = ? LIMIT " + DELETED_AT_ONCE, job, letter)
                            .update());
        }
    }

    /** Returns all parts as one stream, which has one of them in memory and holds no connection. */
    InputStream stream(Database database, String job, MasterKey key) {
        return new InputStream() {

            private byte[] bytes = new byte[0];
            private int place;
            private int part = -1;

            private boolean fill() {
                while (place == bytes.length) {
                    Optional<Part> next = next(database, job, part, key);
                    if (next.isEmpty()) {
                        return false;
                    }
                    part = next.get().number();
                    bytes = next.get().bytes();
                    place = 0;
                }
                return true;
            }

            @Override
            public int read() throws IOException {
                return fill() ? bytes[place++] & 0xff : -1;
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                if (!fill()) {
                    return -1;
                }
                int count = Math.min(length, bytes.length - place);
                System.arraycopy(bytes, place, into, offset, count);
                place += count;
                return count;
            }
        };
    }
}
