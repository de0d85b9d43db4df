// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.json.Json;
import io.muster.operator.Right;
import io.muster.persistence.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Work on many serials or devices.
 *
 * @param operator the operator who had it begun
 * @param dryRun whether it changes nothing and only says what it would do
 * @param what to do, by the members of its request
 * @param total how many rows it has, if that is known
 * @param done how many of them were worked on, the failed ones too
 * @param failed how many of them failed
 * @param error why the whole job failed
 */
public record Job(
        String id,
        String fleet,
        Kind kind,
        State state,
        String operator,
        boolean dryRun,
        Map<String, Object> what,
        Instant createdAt,
        Optional<Instant> startedAt,
        Optional<Instant> endedAt,
        Optional<Long> total,
        long done,
        long failed,
        Optional<String> error) {

    static final String COLUMNS = "id, fleet, kind, state, operator, dry_run, what, created_at, started_at, ended_at,"
            + " total, done, failed, error";
    /** How many columns these are. */
    static final int WIDTH = 14;

    /** The kinds of jobs. */
    public enum Kind {
        /** Imports expected serials. */
        IMPORT_SERIALS(Right.SERIALS_WRITE),
        /** Disables devices. */
        DISABLE(Right.DEVICES_WRITE),
        /** Enables devices. */
        ENABLE(Right.DEVICES_WRITE),
        /** Retires devices. */
        RETIRE(Right.DEVICES_WRITE),
        /** Revokes all credentials of devices. */
        REVOKE(Right.DEVICES_WRITE),
        /** Orders devices to renew their credentials. */
        ROTATE(Right.DEVICES_WRITE),
        /** Sets and removes tags of devices. */
        TAG(Right.DEVICES_WRITE),
        /** Deletes devices. */
        DELETE(Right.DEVICES_WRITE);

        private final Right right;

        Kind(Right right) {
            this.right = right;
        }

        /** Returns the right that an operator needs to have it done. */
        public Right right() {
            return right;
        }

        /** Returns the word for the wire. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** Returns the kind of a word, or empty if there is none. */
        public static Optional<Kind> of(String word) {
            return Stream.of(values()).filter(kind -> kind.word().equals(word)).findFirst();
        }

        /** Tells whether it works on devices that exist. */
        public boolean isOfDevices() {
            return this != IMPORT_SERIALS;
        }
    }

    /** The states of a job. */
    public enum State {
        /** No node has begun. */
        WAITING("W"),
        /** A node works on it, or another one will go on. */
        RUNNING("R"),
        /** It was done to its end. Some rows may have failed. */
        DONE("D"),
        /** It could not go on. */
        FAILED("F"),
        /** An operator cancelled it. */
        CANCELLED("X");

        private final String letter;

        State(String letter) {
            this.letter = letter;
        }

        String letter() {
            return letter;
        }

        /** Returns the word for the wire. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Returns the state of a word, or empty if there is none. */
        public static Optional<State> of(String word) {
            return Stream.of(values())
                    .filter(state -> state.word().equals(word))
                    .findFirst();
        }

        private static State ofLetter(String letter) {
            return Stream.of(values())
                    .filter(state -> state.letter.equals(letter))
                    .findFirst()
                    .orElseThrow();
        }
    }

    static Job of(ResultSet row) throws SQLException {
        return new Job(
                row.getString(1),
                row.getString(2),
                Kind.of(row.getString(3)).orElseThrow(),
                State.ofLetter(row.getString(4)),
                row.getString(5),
                row.getBoolean(6),
                Json.stored(row.getString(7)),
                Instant.ofEpochMilli(row.getLong(8)),
                Sql.time(row, 9),
                Sql.time(row, 10),
                Sql.number(row, 11),
                row.getLong(12),
                row.getLong(13),
                Optional.ofNullable(row.getString(14)));
    }

    /** Tells whether nothing more happens. */
    public boolean hasEnded() {
        return endedAt.isPresent();
    }

    /** Returns how many rows it worked on in a second, from its first start on. */
    public Optional<Double> rate(Instant now) {
        return startedAt.flatMap(start -> {
            long millis = endedAt.orElse(now).toEpochMilli() - start.toEpochMilli();
            return millis <= 0 ? Optional.empty() : Optional.of(Math.round(done * 10_000.0 / millis) / 10.0);
        });
    }
}
