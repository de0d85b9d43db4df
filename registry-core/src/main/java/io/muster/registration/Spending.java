package io.muster.registration;

import io.muster.persistence.Database;
import io.muster.spi.Candidate;
import io.muster.verification.Use;
import jakarta.persistence.EntityManager;
import java.util.List;

/** Uses up what an admission was proved by, within the transaction of the admission; the database decides races. */
final class Spending {

    /** Something is used up already; ends the transaction, and with it everything that was spent before. */
    static final class UsedUpException extends RuntimeException {

        private static final long serialVersionUID = 1;

        UsedUpException(String reason) {
            super(reason, null, false, false);
        }
    }

    private Spending() {}

    /**
     * Spends.
     *
     * @param created whether the device is new; a device that registers again costs no further use of a key
     * @throws UsedUpException if anything is used up
     */
    static void spend(EntityManager em, List<Use> uses, Candidate candidate, boolean created) {
        for (Use use : uses) {
            if (use instanceof Use.Once once) {
                once(em, once, candidate);
            } else if (use instanceof Use.EnrolmentKeyUse key) {
                if (created) {
                    count(em, key);
                }
            } else {
                throw new IllegalStateException("a use that nobody spends");
            }
        }
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
                throw new UsedUpException("what it proves itself with was used before");
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
        int counted = em.createNativeQuery("UPDATE enrolment_key SET uses = uses + 1"
                        + " WHERE id = ? AND revoked_at IS NULL AND (max_uses IS NULL OR uses < max_uses)")
                .setParameter(1, key.keyId())
                .executeUpdate();
        if (counted != 1) {
            throw new UsedUpException("the enrolment key " + key.keyId() + " has no use left");
        }
    }
}
