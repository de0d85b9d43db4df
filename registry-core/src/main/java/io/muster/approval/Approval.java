// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.json.Json;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.verification.policy.Said;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A candidate that waits for an operator, and the decision. There is one for each fleet, serial and binding.
 *
 * @param id 32 hex digits
 * @param binding the thumbprint of the candidate's key; empty if it has none
 * @param deviceId the device that has the serial already, if any
 * @param origin the address that it last asked from; empty if it was approved before it ever asked
 * @param lot the lot of its serial in the list, if it is there
 * @param said the answers of the verifiers when it last asked
 * @param tries how often it asked; requests within ten seconds count as one
 * @param decidedBy the operator who decided
 * @param reason the operator's reason
 * @param usedKey the credential that the approval brought
 * @param expiresAt when the entry ends, with the decision
 * @param version counts the decisions
 */
public record Approval(
        String id,
        String fleet,
        String serial,
        Optional<String> binding,
        State state,
        Optional<String> deviceId,
        Optional<String> origin,
        Optional<String> lot,
        List<Said> said,
        int tries,
        Optional<Instant> firstSeen,
        Optional<Instant> lastSeen,
        Optional<Instant> decidedAt,
        Optional<String> decidedBy,
        Optional<String> reason,
        Optional<String> usedKey,
        Instant expiresAt,
        long version) {

    /** The columns that {@link #of} reads, of a table called a and one called d. */
    static final String COLUMNS =
            "a.id, a.fleet, a.serial, a.binding, a.state, d.id, a.origin, a.lot, a.answers, a.tries,"
                    + " a.first_seen, a.last_seen, a.decided_at, a.decided_by, a.reason, a.used_key, a.expires_at, a.version";

    /** The states of an entry. */
    public enum State {
        /** Nobody has decided. */
        WAITING,
        /** The candidate may register once. */
        APPROVED,
        /** The candidate may not register. */
        REJECTED,
        /** The candidate registered with the approval. */
        USED;

        String letter() {
            return name().substring(0, 1);
        }

        static State ofLetter(String letter) {
            return Stream.of(values())
                    .filter(state -> state.letter().equals(letter))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no state of an approval: " + letter));
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
    }

    /** Tells whether it waits, or may register. */
    boolean isOpen() {
        return state == State.WAITING || state == State.APPROVED;
    }

    /** Reads an entry from a row that has the columns {@value #COLUMNS} in this order. */
    static Approval of(ResultSet row) throws SQLException {
        return new Approval(
                Ids.hex(row.getBytes(1)),
                row.getString(2),
                row.getString(3),
                Optional.of(row.getString(4)).filter(binding -> !binding.isEmpty()),
                State.ofLetter(row.getString(5)),
                Optional.ofNullable(row.getBytes(6)).map(Ids::hex),
                Optional.ofNullable(row.getString(7)),
                Optional.ofNullable(row.getString(8)),
                said(row.getString(9)),
                row.getInt(10),
                Sql.time(row, 11),
                Sql.time(row, 12),
                Sql.time(row, 13),
                Optional.ofNullable(row.getString(14)),
                Optional.ofNullable(row.getString(15)),
                Optional.ofNullable(row.getString(16)),
                Instant.ofEpochMilli(row.getLong(17)),
                row.getLong(18));
    }

    private static List<Said> said(String stored) {
        List<Said> said = new ArrayList<>();
        if (stored != null) {
            for (JsonNode one : Json.parse(stored.getBytes(StandardCharsets.UTF_8))) {
                said.add(new Said(
                        one.path("verifier").asText(),
                        one.path("verdict").asText(),
                        one.path("reason").asText("")));
            }
        }
        return said;
    }
}
