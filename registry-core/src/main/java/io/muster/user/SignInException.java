// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

/** A provider gave no user. The message is for the log: it has no code and no token. */
final class SignInException extends Exception {

    private static final long serialVersionUID = 1;

    private final boolean unavailable;

    private SignInException(boolean unavailable, String message) {
        super(message, null, false, false);
        this.unavailable = unavailable;
    }

    /** The provider said no, or something that cannot be believed. */
    static SignInException refused(String message) {
        return new SignInException(false, message);
    }

    /** The provider cannot be reached, or is out of order. */
    static SignInException unavailable(String message) {
        return new SignInException(true, message);
    }

    boolean isUnavailable() {
        return unavailable;
    }
}
