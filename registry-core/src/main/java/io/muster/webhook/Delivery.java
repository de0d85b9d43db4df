// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * An event on its way to a webhook.
 *
 * @param id the header {@code webhook-id}, 32 hex digits
 * @param type the type of the event
 * @param state whether it arrived
 * @param createdAt when the event was recorded
 * @param dueAt when it is sent, if it waits
 * @param attempts how often it was sent since it was recorded, or since an operator had it sent again
 * @param last the last attempt
 * @param body the body of the message; empty in lists
 */
public record Delivery(
        String id,
        String type,
        State state,
        Instant createdAt,
        Optional<Instant> dueAt,
        int attempts,
        Optional<Last> last,
        Optional<String> body) {

    /** The state of a delivery. */
    public enum State {
        /** It is sent when it is due. */
        WAITING("W"),
        /** The receiver accepted it. */
        DELIVERED("D"),
        /** The receiver did not accept it for a day, or is gone: a dead letter. */
        DEAD("X");

        private final String letter;

        State(String letter) {
            this.letter = letter;
        }

        /** Returns the word for the wire. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Returns the state of a word, or empty. */
        public static Optional<State> of(String word) {
            return Arrays.stream(values())
                    .filter(state -> state.word().equals(word))
                    .findFirst();
        }

        String letter() {
            return letter;
        }

        private static State ofLetter(String letter) {
            return Arrays.stream(values())
                    .filter(state -> state.letter.equals(letter))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /**
     * An attempt.
     *
     * @param at when
     * @param status the status of the receiver's answer, if there is one
     * @param millis how long that took
     * @param error why it failed; empty if it did not
     */
    public record Last(Instant at, Optional<Integer> status, long millis, Optional<String> error) {}

    /** When a delivery is due that does not wait. */
    static final long NEVER = Long.MAX_VALUE;

    /** The columns of a delivery in a list. */
    static final String LISTED = "id, type, state, due_at, attempts, last_at, last_status, last_millis, last_error";

    static final String COLUMNS = LISTED + ", body";

    static Delivery of(ResultSet row, boolean withBody) throws SQLException {
        byte[] id = row.getBytes(1);
        State state = State.ofLetter(row.getString(3));
        Optional<Instant> lastAt = Sql.time(row, 6);
        Optional<Integer> status = Sql.number(row, 7).map(Long::intValue);
        long millis = row.getLong(8);
        Optional<String> error = Optional.ofNullable(row.getString(9));
        return new Delivery(
                Ids.hex(id),
                row.getString(2),
                state,
                Ids.time(id),
                state == State.WAITING ? Sql.time(row, 4) : Optional.empty(),
                row.getInt(5),
                lastAt.map(at -> new Last(at, status, millis, error)),
                withBody ? Optional.of(row.getString(10)) : Optional.empty());
    }
}
