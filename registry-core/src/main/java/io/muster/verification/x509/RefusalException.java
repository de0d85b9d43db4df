package io.muster.verification.x509;

/** What was presented is not good. Thrown by the check that found it, caught by the verifier. */
final class RefusalException extends Exception {

    private static final long serialVersionUID = 1;

    /** The reason is for operators; it quotes nothing of what was presented. */
    RefusalException(String reason) {
        super(reason, null, false, false);
    }
}
