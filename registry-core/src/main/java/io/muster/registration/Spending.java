// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.approval.ApprovalQueue;
import io.muster.once.Use;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.spi.Candidate;
import jakarta.persistence.EntityManager;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Uses up the proofs of an admission, within its transaction. The database decides races. */
public final class Spending {

    private static final Logger LOG = LoggerFactory.getLogger(Spending.class);
    private static final int FORGOTTEN_AT_ONCE = 1000;

    /** The clock of the node that forgets may be ahead of that of a node that still accepts. */
    private static final Duration GRACE = Duration.ofMinutes(10);

    /** Something is used up already. Ends the transaction, which undoes everything spent in it. */
    static final class UsedUpException extends RuntimeException {

        private static final long serialVersionUID = 1;

        UsedUpException(String reason) {
            super(reason, null, false, false);
        }
    }

    private static final String USED = "what it proves itself with was used before";
    private static final String HAS_USES = "revoked_at IS NULL AND (max_uses IS NULL OR uses < max_uses)";

    private Spending() {}

    /**
     * An admission.
     *
     * @param key of the credential that is issued
     * @param created whether the device is new; a device that registers again costs no further use of a key
     */
    record Admission(Candidate candidate, String key, boolean created, Instant now) {}

    /**
     * Spends.
     *
     * @throws UsedUpException if anything is used up
     */
    static void spend(EntityManager em, List<Use> uses, Admission admission) {
        for (Use use : uses) {
            if (use instanceof Use.Once once) {
                once(em, once, admission.candidate());
            } else if (use instanceof Use.EnrolmentKeyUse key) {
                if (admission.created()) {
                    count(em, key);
                }
            } else if (use instanceof Use.Approval) {
                if (!ApprovalQueue.use(em, admission.candidate(), admission.key(), admission.now())) {
                    throw new UsedUpException("the approval was used, taken back or has expired meanwhile");
                }
            } else {
                throw new IllegalStateException("a use that nobody spends");
            }
        }
    }

    /** Tells why spending would be refused now, without spending. */
    static Optional<String> wouldRefuse(EntityManager em, List<Use> uses, Candidate candidate, boolean created) {
        for (Use use : uses) {
            if (use instanceof Use.Once once) {
                boolean used = exists(em, "SELECT 1 FROM used_once WHERE id = ?", once.id());
                if (used && !(once.sameSerialMayRepeat() && wasUsedBy(em, once, candidate))) {
                    return Optional.of(USED);
                }
            } else if (use instanceof Use.EnrolmentKeyUse key
                    && created
                    && !exists(em, "SELECT 1 FROM enrolment_key WHERE id = ? AND " + HAS_USES, key.keyId())) {
                return Optional.of(noUseLeft(key));
            }
        }
        return Optional.empty();
    }

    private static boolean exists(EntityManager em, String sql, Object id) {
        return !em.createNativeQuery(sql).setParameter(1, id).getResultList().isEmpty();
    }

    private static String noUseLeft(Use.EnrolmentKeyUse key) {
        return "the enrolment key " + key.keyId() + " has no use left";
    }

    private static void once(EntityManager em, Use.Once once, Candidate candidate) {
        if (once.sameSerialMayRepeat() && wasUsedBy(em, once, candidate)) {
            return;
        }
        try {
            em.createNativeQuery("INSERT INTO used_once (id, fleet, serial, expires_at) VALUES (?, ?, ?, ?)")
                    .setParameter(1, once.id())
                    .setParameter(2, candidate.fleet())
                    .setParameter(3, candidate.serial().value())
                    .setParameter(4, once.until().toEpochMilli())
                    .executeUpdate();
        } catch (RuntimeException e) {
            if (Database.isDuplicate(e)) {
                throw new UsedUpException(USED);
            }
            throw e;
        }
    }

    private static boolean wasUsedBy(EntityManager em, Use.Once once, Candidate candidate) {
        return !em.createNativeQuery("SELECT 1 FROM used_once WHERE id = ? AND fleet = ? AND serial = ?")
                .setParameter(1, once.id())
                .setParameter(2, candidate.fleet())
                .setParameter(3, candidate.serial().value())
                .getResultList()
                .isEmpty();
    }

    private static void count(EntityManager em, Use.EnrolmentKeyUse key) {
        int counted = em.createNativeQuery("UPDATE enrolment_key SET uses = uses + 1" + " WHERE id = ? AND " + HAS_USES)
                .setParameter(1, key.keyId())
                .executeUpdate();
        if (counted != 1) {
            throw new UsedUpException(noUseLeft(key));
        }
    }

    /**
     * Forgets what has expired, in small statements so that no registration waits for one. Several nodes may do it at
     * the same time. Never throws; the next run forgets what remains.
     */
    public static void forgetExpired(Database database, Clock clock) {
        for (String table : List.of(
                "used_once",
                "sealed_reply",
                "revoked_token",
                "claim_code",
                "user_session",
                "operator_session",
                "operator_person",
                "approval")) {
            try {
                int forgotten;
                do {
                    forgotten = database.jdbcTransaction(Sql.of(
                                    "DELETE FROM " + table + " WHERE expires_at < ? LIMIT " + FORGOTTEN_AT_ONCE,
                                    clock.instant().minus(GRACE))
                            .update());
                } while (forgotten == FORGOTTEN_AT_ONCE);
            } catch (RuntimeException e) {
                LOG.warn("What has expired in {} could not be forgotten: {}", table, e.getMessage());
            }
        }
    }
}
