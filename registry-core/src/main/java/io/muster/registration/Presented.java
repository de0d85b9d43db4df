package io.muster.registration;

import io.muster.credential.AuthenticatedDevice;
import io.muster.spi.DeviceId;
import io.muster.token.VerifiedToken;

/**
 * A device that proved that it has its current credential: by that itself, or by an access token that is bound to a key. Holding one
 * is proof, and is what a further credential is given for; so a token that is good for whoever has it does not make one.
 */
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

    /**
     * By a token that was obtained with the credential, and came with a proof by the key that it is bound to (RFC 9449).
     *
     * @throws IllegalArgumentException if it is bound to none
     */
    public static Presented of(VerifiedToken token) {
        if (token.thumbprint().isEmpty()) {
            throw new IllegalArgumentException("a token that is not bound to a key proves nothing about who sends it");
        }
        return new Presented(token.deviceId(), token.key());
    }

    /** Returns the device. */
    public DeviceId deviceId() {
        return deviceId;
    }

    /** The key of the credential. */
    String key() {
        return key;
    }
}
