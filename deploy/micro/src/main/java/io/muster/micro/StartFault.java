package io.muster.micro;

/** Muster did not start; the message says why and what to do, and is all that a person is shown. */
final class StartFault extends Exception {

    private static final long serialVersionUID = 1L;

    StartFault(String message) {
        super(message);
    }

    StartFault(String message, Throwable cause) {
        super(message, cause);
    }
}
