// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import io.muster.spi.VerificationUnavailableException;
import java.io.Serial;

/**
 * The API as a whole is in trouble: no connection, no answer in time, or a status that means trouble. Only this is
 * retried and opens the circuit. A reply that merely makes no sense does neither; otherwise one odd serial could shut
 * out all others.
 */
public final class OutageException extends VerificationUnavailableException {

    @Serial
    private static final long serialVersionUID = 1;

    private final boolean worthRetrying;

    /**
     * Says what failed.
     *
     * @param worthRetrying whether another attempt within the same question makes sense
     */
    OutageException(String message, boolean worthRetrying) {
        super(message);
        this.worthRetrying = worthRetrying;
    }

    /** Tells whether another attempt within the same question makes sense. */
    public boolean worthRetrying() {
        return worthRetrying;
    }
}
