package io.muster.bench;

/** An answer that is not what was asked for. It counts as a fault and never as a result. */
final class WrongAnswerException extends RuntimeException {

    private static final long serialVersionUID = 1;

    WrongAnswerException(String message) {
        super(message);
    }
}
