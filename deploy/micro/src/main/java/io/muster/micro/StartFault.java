// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

/** Muster did not start. The message says why and what to do, and is all that a person sees. */
final class StartFault extends Exception {

    private static final long serialVersionUID = 1L;

    StartFault(String message) {
        super(message);
    }

    StartFault(String message, Throwable cause) {
        super(message, cause);
    }
}
