// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import io.muster.spi.DeviceId;
import java.time.Instant;
import java.util.Optional;

/**
 * A device that authenticated with a credential. Only {@link ClientAuthenticator} makes one, so an instance is proof.
 */
public final class AuthenticatedDevice {

    private final DeviceId deviceId;
    private final String fleet;
    private final String key;
    private final Optional<Instant> rotateBy;

    AuthenticatedDevice(DeviceId deviceId, String fleet, String key, Optional<Instant> rotateBy) {
        this.deviceId = deviceId;
        this.fleet = fleet;
        this.key = key;
        this.rotateBy = rotateBy;
    }

    /** Returns the device. */
    public DeviceId deviceId() {
        return deviceId;
    }

    /** Returns its fleet. */
    public String fleet() {
        return fleet;
    }

    /** Returns the key of the credential it used. */
    public String key() {
        return key;
    }

    /** Returns when the credential must be renewed, or empty. */
    public Optional<Instant> rotateBy() {
        return rotateBy;
    }
}
