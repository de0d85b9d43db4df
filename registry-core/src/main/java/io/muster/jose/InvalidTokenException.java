// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import java.io.Serial;

/** A token is not valid. The message says why, for operators, and repeats nothing of the token. */
public final class InvalidTokenException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    /** Says why, without a stack trace: anybody can cause it. */
    public InvalidTokenException(String reason) {
        super(reason, null, false, false);
    }
}
