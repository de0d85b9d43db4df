package io.muster.registration;

import io.muster.api.RegistrationReceipt;

/** What a device that was admitted is answered. */
public sealed interface RegistrationReply {

    /**
     * For everybody on the way to read.
     *
     * @param receipt what the device is told
     */
    record Plain(RegistrationReceipt receipt) implements RegistrationReply {}

    /**
     * For the device that asked, and nobody else.
     *
     * @param jwe in compact form; the same as before if this is a repeat
     */
    record Sealed(String jwe) implements RegistrationReply {}
}
