package io.muster.device;

import io.muster.audit.Audit;
import io.muster.persistence.Ids;
import jakarta.persistence.EntityManager;
import java.time.Instant;

/** What becomes of a serial's allowances that are neither spent nor taken back, when something happens to its device. */
public final class OpenAllowances {

    private static final String OPEN = " fleet = ? AND serial = ? AND spent_at IS NULL AND revoked_at IS NULL";

    private OpenAllowances() {}

    /**
     * Spends all whose window has begun: the device is on line with something new, so nobody gets anything more by what let it in, or
     * was meant to. Its row is locked.
     */
    public static void spend(EntityManager em, Device device, Instant now) {
        em.createNativeQuery("UPDATE allowance SET spent_at = ? WHERE" + OPEN + " AND not_before <= ?")
                .setParameter(1, now.toEpochMilli())
                .setParameter(2, device.fleet())
                .setParameter(3, device.serial().value())
                .setParameter(4, now.toEpochMilli())
                .executeUpdate();
    }

    /**
     * Takes all back whose window has not ended, those to come among them: who shuts a device out does not want it back by what
     * was permitted before. Its row is locked.
     *
     * @param who shuts it out
     * @param why for the record
     */
    public static void takeBack(EntityManager em, Audit audit, Device device, Instant now, String who, String why) {
        for (Object id : em.createNativeQuery(
                        "SELECT id FROM allowance WHERE" + OPEN + " AND not_after > ? ORDER BY id")
                .setParameter(1, device.fleet())
                .setParameter(2, device.serial().value())
                .setParameter(3, now.toEpochMilli())
                .getResultList()) {
            em.createNativeQuery("UPDATE allowance SET revoked_at = ? WHERE id = ?")
                    .setParameter(1, now.toEpochMilli())
                    .setParameter(2, id)
                    .executeUpdate();
            audit.record(
                    em,
                    Audit.Type.ALLOWANCE_REVOKED,
                    device.fleet(),
                    device.serial().value(),
                    device.idBytes(),
                    who,
                    "allowance " + Ids.hex((byte[]) id) + ": " + why);
        }
    }
}
