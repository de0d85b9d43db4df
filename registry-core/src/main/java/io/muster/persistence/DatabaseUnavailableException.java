// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import java.io.Serial;

/** The database is unreachable, or too busy to answer in time. This never means that something does not exist. */
public final class DatabaseUnavailableException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1;

    DatabaseUnavailableException(String what) {
        super("The database is away: " + what, null, false, false);
    }
}
