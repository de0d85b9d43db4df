// SPDX-License-Identifier: Apache-2.0
package io.muster.once;

import java.time.Instant;

/**
 * Something that an admission uses up. The transaction that creates the device or its credential spends it. So a
 * registration that fails spends nothing, and nothing is used twice on two nodes.
 */
public sealed interface Use {

    /**
     * Something that may be used once.
     *
     * @param id 32 bytes that nothing else has, such as a SHA-256 over kind, issuer and id
     * @param until when it has expired anyway, and may be forgotten
     * @param sameSerialMayRepeat whether the serial that used it may present it again when the fleet's rule permits it
     *     to register again. A lost reply then heals itself, although the device cannot make another proof
     */
    record Once(byte[] id, Instant until, boolean sameSerialMayRepeat) implements Use {}

    /**
     * One of the uses of a fleet's enrolment key; counted when a device is created, not when it registers again.
     *
     * @param keyId the key's id
     */
    record EnrolmentKeyUse(String keyId) implements Use {}

    /** The approval of the candidate's serial and binding by an operator. It covers one admission. */
    record Approval() implements Use {}
}
