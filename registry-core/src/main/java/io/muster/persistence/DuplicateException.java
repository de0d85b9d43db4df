// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.io.Serial;

/** A unique constraint was violated: another transaction was first. */
public final class DuplicateException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    DuplicateException() {
        super("A unique constraint was violated", null, false, false);
    }
}
