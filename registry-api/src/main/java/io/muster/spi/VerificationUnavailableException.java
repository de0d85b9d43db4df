// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.io.Serial;

/**
 * A verifier could not find out. This never means "no": the registration ends with 503 and the device retries later.
 *
 * <p>The message is for operators and logs. It names what failed (an address, a time limit), but neither the serial nor
 * a secret.
 */
public class VerificationUnavailableException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    /**
     * Says what failed.
     *
     * @param message for operators; without serials and secrets
     */
    public VerificationUnavailableException(String message) {
        super(message);
    }

    /**
     * Says what failed and why.
     *
     * @param message for operators; without serials and secrets
     * @param cause logged with the message, so its text must be free of serials and secrets too; may be null
     */
    public VerificationUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
