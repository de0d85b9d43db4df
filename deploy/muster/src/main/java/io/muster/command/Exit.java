// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

/** The exit codes of the command. */
final class Exit {

    static final int DONE = 0;
    static final int DIFFERENT = 1;
    static final int USAGE = 2;
    static final int REFUSED = 3;
    static final int NOT_PERMITTED = 4;
    static final int NOT_FOUND = 5;
    static final int CONFLICT = 6;
    static final int UNAVAILABLE = 7;
    static final int SERVER_FAULT = 8;
    static final int NOT_CONFIRMED = 9;
    static final int FAULT = 70;
    static final int INTERRUPTED = 130;

    private Exit() {}

    /** Returns the code for an answer of the registry that is not a success. */
    static int ofStatus(int status) {
        return switch (status) {
            case 401, 403 -> NOT_PERMITTED;
            case 404 -> NOT_FOUND;
            case 409, 412 -> CONFLICT;
            case 429, 503 -> UNAVAILABLE;
            default -> status >= 400 && status < 500 ? REFUSED : SERVER_FAULT;
        };
    }
}
