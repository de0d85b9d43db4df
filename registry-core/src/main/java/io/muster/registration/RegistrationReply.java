// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.api.RegistrationReceipt;
import java.time.Duration;

/** The reply to a device that was admitted. */
public sealed interface RegistrationReply {

    /**
     * A reply that everybody on the way can read.
     *
     * @param receipt the content of the reply
     */
    record Plain(RegistrationReceipt receipt) implements RegistrationReply {}

    /**
     * A reply that only the device can read.
     *
     * @param jwe in compact form; the same as before if this is a repeat
     */
    record Sealed(String jwe) implements RegistrationReply {}

    /**
     * Not yet: nothing was created, and the device is to ask again.
     *
     * @param retryAfter how long it is to wait at least, from a second to a day
     */
    record Pending(Duration retryAfter) implements RegistrationReply {}
}
