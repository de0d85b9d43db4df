// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.Serial;

/** The command cannot go on. Its message is for people, and may have several lines. */
final class Failure extends Exception {

    @Serial
    private static final long serialVersionUID = 1;

    private final int exit;

    /** @param exit a constant of {@link Exit} */
    Failure(int exit, String message) {
        super(message, null, false, false);
        this.exit = exit;
    }

    int exit() {
        return exit;
    }
}
