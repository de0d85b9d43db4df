package io.muster.verification;

import java.time.Instant;

/**
 * What an admission uses up. It is spent in the transaction that creates the device or its credential, so that nothing is spent
 * by a registration that fails, and nothing is used twice on two nodes.
 */
public sealed interface Use {

    /**
     * Something that may be used once.
     *
     * @param id 32 bytes that nothing else has, such as a SHA-256 over kind, issuer and id
     * @param until when it could not be used anyway, and may be forgotten
     * @param sameSerialMayRepeat whether the serial that used it may present it again when the fleet's rule lets it register
     *     again; a lost reply then heals itself although the device cannot make another one
     */
    record Once(byte[] id, Instant until, boolean sameSerialMayRepeat) implements Use {}

    /**
     * One of the uses of a fleet's enrolment key; counted when a device is created, not when it registers again.
     *
     * @param keyId the key's id
     */
    record EnrolmentKeyUse(String keyId) implements Use {}
}
