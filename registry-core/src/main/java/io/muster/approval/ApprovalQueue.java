// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.json.Json;
import io.muster.persistence.Database;
import io.muster.persistence.DuplicateException;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.spi.ApprovalRequested;
import io.muster.spi.Candidate;
import io.muster.verification.policy.Said;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.io.Serial;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The candidates that wait for an operator: one entry for each fleet, serial and binding. A second binding that claims
 * the same serial is a second entry, so that the operator sees both. The number of those that wait is bounded in each
 * fleet and from each address. Requests on many nodes at once may exceed a bound by their number. Thread-safe.
 */
@Part
public final class ApprovalQueue {

    /** A device that asks more often than it was told causes no further writes. */
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private static final int MOST_ANSWERS = 32;
    private static final int LONGEST_REASON = 200;

    // The approval was used, but the device has not used the credential that it got: perhaps the reply was lost.
    private static final String UNCONFIRMED = "c.state = 'P' AND (c.expires_at IS NULL OR c.expires_at > ?)";

    private static final String STANDING = "SELECT a.state, c.access_key FROM approval a LEFT JOIN credential c ON"
            + " c.access_key = a.used_key AND " + UNCONFIRMED
            + " WHERE a.fleet = ? AND a.serial = ? AND a.binding = ? AND a.expires_at > ?";

    private static final String USE =
            "UPDATE approval SET state = 'U', approved = NULL, used_key = ?, version = version + 1"
                    + " WHERE fleet = ? AND serial = ? AND binding = ? AND expires_at > ? AND (state = 'A' OR (state = 'U' AND"
                    + " EXISTS (SELECT 1 FROM credential c WHERE c.access_key = approval.used_key AND " + UNCONFIRMED
                    + ")))";

    private static final String FIND = "SELECT a.id, a.state, a.expires_at, a.last_seen, a.version FROM approval a"
            + " WHERE a.fleet = ? AND a.serial = ? AND a.binding = ?";

    private static final String SEEN = "UPDATE approval SET tries = tries + 1, last_seen = ?, origin = ?, lot = ("
            + lot() + "), answers = ?, expires_at = ? WHERE id = ? AND state = 'W'";

    private static final String NEW =
            "INSERT INTO approval (fleet, serial, binding, state, origin, lot, answers, tries,"
                    + " first_seen, last_seen, expires_at, version, id) VALUES (?, ?, ?, 'W', ?, (" + lot()
                    + "), ?, 1, ?, ?, ?, 1, ?)";

    private static final String ANEW = "UPDATE approval SET state = 'W', approved = NULL, origin = ?, lot = (" + lot()
            + "), answers = ?, tries = 1, first_seen = ?, last_seen = ?, decided_at = NULL, decided_by = NULL,"
            + " reason = NULL, used_key = NULL, expires_at = ?, version = version + 1 WHERE id = ? AND version = ?";

    private static final String WAITING =
            "SELECT COUNT(*) FROM (SELECT 1 FROM approval WHERE fleet = ? AND state = 'W'" + " LIMIT ?) counted";

    private static final String WAITING_FROM = "SELECT COUNT(*) FROM (SELECT 1 FROM approval WHERE fleet = ? AND"
            + " origin = ? AND state = 'W' LIMIT ?) counted";

    private final Database database;
    private final Audit audit;
    private final Consumer<Object> events;
    private final Ids ids;
    private final Clock clock;
    private final MusterConfig.Approval bounds;

    /** There is no room for another candidate. */
    public static final class FullException extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1;

        private FullException(String where) {
            super("too many candidates wait for approval " + where, null, false, false);
        }
    }

    /** The decision about a candidate. */
    enum Standing {
        /** It may register. */
        APPROVED,
        /** It may not. */
        REJECTED,
        /** Nobody has decided, or the decision is no longer good. */
        OPEN
    }

    private record Row(byte[] id, Approval.State state, Instant expiresAt, Optional<Instant> lastSeen, long version) {

        boolean isOpen(Instant now) {
            return expiresAt.isAfter(now) && state != Approval.State.USED;
        }
    }

    @Inject
    ApprovalQueue(
            MusterConfig config,
            Database database,
            Audit audit,
            Ids ids,
            @Ours Clock clock,
            @Ours Consumer<Object> events) {
        this.bounds = config.approval();
        this.database = database;
        this.audit = audit;
        this.ids = ids;
        this.clock = clock;
        this.events = events;
    }

    private static String lot() {
        return "SELECT e.lot FROM expected_serial e WHERE e.fleet = ? AND e.serial = ?";
    }

    private static String binding(Candidate candidate) {
        return candidate.binding().orElse("");
    }

    /** Looks up a candidate. Changes nothing. */
    Standing standing(Candidate candidate) {
        Instant now = clock.instant();
        return database.jdbc(Sql.of(
                                STANDING,
                                now,
                                candidate.fleet(),
                                candidate.serial().value(),
                                binding(candidate),
                                now)
                        .first(row -> switch (Approval.State.ofLetter(row.getString(1))) {
                            case APPROVED -> Standing.APPROVED;
                            case REJECTED -> Standing.REJECTED;
                            case WAITING -> Standing.OPEN;
                            case USED -> row.getString(2) == null ? Standing.OPEN : Standing.APPROVED;
                        }))
                .orElse(Standing.OPEN);
    }

    /**
     * Uses the approval of a candidate, within the transaction of its admission. A device whose reply was lost may use
     * it again until it uses the credential that it got.
     *
     * @param key of the credential that is issued
     * @return false if it is not approved, or not any more
     */
    public static boolean use(EntityManager em, Candidate candidate, String key, Instant now) {
        return em.createNativeQuery(USE)
                        .setParameter(1, key)
                        .setParameter(2, candidate.fleet())
                        .setParameter(3, candidate.serial().value())
                        .setParameter(4, binding(candidate))
                        .setParameter(5, now.toEpochMilli())
                        .setParameter(6, now.toEpochMilli())
                        .executeUpdate()
                == 1;
    }

    /**
     * Gives a candidate its place in the queue, or notes that it asked again. Call it outside of a transaction.
     *
     * @param said the answers of the verifiers
     * @throws FullException if there is no room for it
     */
    public void take(Candidate candidate, List<Said> said) {
        Instant now = clock.instant();
        Optional<Row> there = find(candidate);
        if (there.filter(row -> row.isOpen(now)).isPresent()) {
            if (there.get().state() == Approval.State.WAITING && isDue(there.get(), now)) {
                seen(candidate, there.get(), said, now);
            }
            return;
        }
        checkRoom(candidate);
        byte[] id = there.map(Row::id).orElseGet(ids::next);
        try {
            if (enter(candidate, there, id, said, now)) {
                events.accept(new ApprovalRequested(
                        now,
                        candidate.fleet(),
                        candidate.serial(),
                        candidate.binding(),
                        Ids.hex(id),
                        candidate.origin()));
            }
        } catch (DuplicateException e) {
            // Another request of the same candidate was faster.
            return;
        }
    }

    private Optional<Row> find(Candidate candidate) {
        return database.jdbc(Sql.of(FIND, candidate.fleet(), candidate.serial().value(), binding(candidate))
                .first(row -> new Row(
                        row.getBytes(1),
                        Approval.State.ofLetter(row.getString(2)),
                        Instant.ofEpochMilli(row.getLong(3)),
                        Sql.time(row, 4),
                        row.getLong(5))));
    }

    private static boolean isDue(Row row, Instant now) {
        return row.lastSeen().filter(last -> now.isBefore(last.plus(PAUSE))).isEmpty();
    }

    private void seen(Candidate candidate, Row there, List<Said> said, Instant now) {
        database.jdbc(Sql.of(
                        SEEN,
                        now,
                        candidate.origin(),
                        candidate.fleet(),
                        candidate.serial().value(),
                        stored(said),
                        now.plus(bounds.waiting()),
                        there.id())
                .update());
    }

    private void checkRoom(Candidate candidate) {
        if (count(Sql.of(WAITING_FROM, candidate.fleet(), candidate.origin(), bounds.perAddress()))
                >= bounds.perAddress()) {
            throw new FullException("from " + candidate.origin());
        }
        if (count(Sql.of(WAITING, candidate.fleet(), bounds.perFleet())) >= bounds.perFleet()) {
            throw new FullException("in fleet " + candidate.fleet());
        }
    }

    private long count(Sql count) {
        return database.jdbc(count.first(row -> row.getLong(1))).orElse(0L);
    }

    /** Writes an entry that begins to wait, or begins again. Returns false if another request was faster. */
    private boolean enter(Candidate candidate, Optional<Row> there, byte[] id, List<Said> said, Instant now) {
        String fleet = candidate.fleet();
        String serial = candidate.serial().value();
        Instant until = now.plus(bounds.waiting());
        return database.transaction(em -> {
            boolean entered = there.isPresent()
                    ? Approvals.changed(
                            em,
                            ANEW,
                            candidate.origin(),
                            fleet,
                            serial,
                            stored(said),
                            now,
                            now,
                            until,
                            id,
                            there.get().version())
                    : Approvals.changed(
                            em,
                            NEW,
                            fleet,
                            serial,
                            binding(candidate),
                            candidate.origin(),
                            fleet,
                            serial,
                            stored(said),
                            now,
                            now,
                            until,
                            id);
            if (!entered) {
                return false;
            }
            audit.record(
                    em,
                    Audit.Type.APPROVAL_REQUESTED,
                    fleet,
                    serial,
                    null,
                    candidate.origin(),
                    "approval " + Ids.hex(id)
                            + candidate.binding().map(key -> ", binding " + key).orElse(""));
            return true;
        });
    }

    private static String stored(List<Said> said) {
        return Json.text(
                said.stream().limit(MOST_ANSWERS).map(ApprovalQueue::stored).toList());
    }

    private static Map<String, Object> stored(Said one) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("verifier", one.verifier());
        members.put("verdict", one.verdict());
        if (one.reason() != null && !one.reason().isEmpty()) {
            members.put(
                    "reason",
                    one.reason().length() <= LONGEST_REASON
                            ? one.reason()
                            : one.reason().substring(0, LONGEST_REASON));
        }
        return members;
    }
}
