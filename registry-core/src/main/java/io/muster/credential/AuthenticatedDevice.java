package io.muster.credential;

import io.muster.spi.DeviceId;

/**
 * A device that proved itself with a credential. Only {@link ClientAuthenticator} makes one, so holding one is proof.
 */
public final class AuthenticatedDevice {

    private final DeviceId deviceId;
    private final String fleet;
    private final String key;

    AuthenticatedDevice(DeviceId deviceId, String fleet, String key) {
        this.deviceId = deviceId;
        this.fleet = fleet;
        this.key = key;
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
}
