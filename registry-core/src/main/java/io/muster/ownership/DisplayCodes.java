// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceStore.Standing;
import io.muster.fleet.Fleets;
import io.muster.limit.Limits;
import io.muster.ownership.ClaimCodes.Kind;
import io.muster.ownership.ClaimCodes.Made;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import jakarta.inject.Inject;
import java.time.Clock;

/**
 * Makes the claim codes that devices show on their displays. A user who presents one stood in front of the device. The
 * registry stores only hashes. Thread-safe.
 */
@Part
public final class DisplayCodes {

    /** How many codes a device gets while one of them would be good. */
    private static final int MOST = 20;

    private final Database database;
    private final ClaimCodes codes;
    private final DeviceStore devices;
    private final Fleets fleets;
    private final Limits limits;

    /** Stores the hashes in the database. */
    @Inject
    public DisplayCodes(Database database, ClaimCodes codes, DeviceStore devices, Fleets fleets, @Ours Clock clock) {
        this.database = database;
        this.codes = codes;
        this.devices = devices;
        this.fleets = fleets;
        this.limits = new Limits(MOST, ClaimCodes.DISPLAY, clock);
    }

    /**
     * Makes a code for a device that asks for one. The one before is void.
     *
     * @throws RegistryException {@code NOT_FOUND} if devices of its fleet are not claimed by code; {@code CONFLICT} if
     *     somebody owns it; {@code TOO_MANY_REQUESTS} if it asks too often
     */
    public Made make(Device device) {
        boolean byCode = fleets.find(device.fleet())
                .filter(fleet -> fleet.document().isClaimedByCode())
                .isPresent();
        if (!byCode) {
            throw new RegistryException(ProblemType.NOT_FOUND, "devices of this fleet are not claimed by code");
        }
        if (devices.standing(device.id()).flatMap(Standing::owner).isPresent()) {
            throw RegistryException.withDetail(ProblemType.CONFLICT, "the device has an owner, so no code claims it");
        }
        limits.count(device.id().value());
        return database.transaction(
                em -> codes.make(em, device.fleet(), device.serial().value(), Kind.DISPLAY));
    }
}
