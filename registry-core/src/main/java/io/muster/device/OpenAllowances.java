// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import io.muster.audit.Audit;
import io.muster.persistence.Ids;
import io.muster.spi.SerialNumber;
import jakarta.persistence.EntityManager;
import java.time.Instant;

/** Ends a serial's allowances that are neither spent nor revoked, when something happens to its device. */
public final class OpenAllowances {

    private static final String OPEN = " fleet = ? AND serial = ? AND spent_at IS NULL AND revoked_at IS NULL";

    private OpenAllowances() {}

    /**
     * Spends all whose window has begun. The device is on line with a new credential, so nobody may get another one
     * with the same allowance, or with one meant for the same purpose. The caller has locked the device's row.
     */
    public static void spend(EntityManager em, String fleet, SerialNumber serial, Instant now) {
        em.createNativeQuery("UPDATE allowance SET spent_at = ? WHERE" + OPEN + " AND not_before <= ?")
                .setParameter(1, now.toEpochMilli())
                .setParameter(2, fleet)
                .setParameter(3, serial.value())
                .setParameter(4, now.toEpochMilli())
                .executeUpdate();
    }

    /**
     * Revokes all whose window has not ended, even if it has not begun. A device that is shut out must not come back by
     * an earlier permission. The caller has locked its row.
     *
     * @param who the operator, or the address of the device
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
