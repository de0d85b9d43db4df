// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.credential.AuthenticatedDevice;
import io.muster.spi.DeviceId;
import io.muster.token.VerifiedToken;

/**
 * A device that proved that it has its current credential: with the credential itself, or with an access token that is
 * bound to a key. An instance is proof, and permits a further credential. A bearer token does not make one, since
 * anybody who has it can use it.
 */
public final class CredentialProof {

    private final DeviceId deviceId;
    private final String key;

    private CredentialProof(DeviceId deviceId, String key) {
        this.deviceId = deviceId;
        this.key = key;
    }

    /** A device that presented the credential itself. */
    public static CredentialProof of(AuthenticatedDevice device) {
        return new CredentialProof(device.deviceId(), device.key());
    }

    /**
     * A device that presented a token which it obtained with the credential, and a proof by the key that the token is
     * bound to (RFC 9449).
     *
     * @throws IllegalArgumentException if it is bound to none
     */
    public static CredentialProof of(VerifiedToken token) {
        if (token.thumbprint().isEmpty()) {
            throw new IllegalArgumentException("a token that is not bound to a key proves nothing about who sends it");
        }
        return new CredentialProof(token.deviceId(), token.key());
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
