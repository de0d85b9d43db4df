// SPDX-License-Identifier: Apache-2.0
package io.muster.api;

import java.net.URI;
import java.time.Instant;

/**
 * A code that a device shows on its display, so that the user in front of it can claim it.
 *
 * @param code the code as people read it, {@code XXXX-XXXX-C}; good once, and void when the device gets another
 * @param expiresAt when it ends
 * @param url the address of the claim page with the code in its fragment, for a QR code
 */
public record DisplayCode(String code, Instant expiresAt, URI url) {

    /** Hides the code. */
    @Override
    public String toString() {
        return "DisplayCode[expiresAt=" + expiresAt + "]";
    }
}
