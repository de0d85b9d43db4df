package io.muster.registration;

import io.muster.credential.AuthenticatedDevice;
import io.muster.spi.DeviceId;
import io.muster.token.VerifiedToken;

/** A device that proved itself beside its request, by a credential or by an access token; holding one is proof. */
public final class Presented {

    private final DeviceId deviceId;
    private final String key;

    private Presented(DeviceId deviceId, String key) {
        this.deviceId = deviceId;
        this.key = key;
    }

    /** By the credential itself. */
    public static Presented of(AuthenticatedDevice device) {
        return new Presented(device.deviceId(), device.key());
    }

    /** By a token that was obtained with the credential. */
    public static Presented of(VerifiedToken token) {
        return new Presented(token.deviceId(), token.key());
    }

    DeviceId deviceId() {
        return deviceId;
    }

    /** The key of the credential. */
    String key() {
        return key;
    }
}
