package io.muster.verification;

import io.muster.spi.VerificationUnavailableException;
import java.io.Serial;

/**
 * The API as a whole is in trouble: no connection, no answer in time, or a status that says so. This is what is retried and what
 * opens the circuit; a reply that merely makes no sense is neither, or else one odd serial could shut out all others.
 */
final class HttpOutageException extends VerificationUnavailableException {

    @Serial
    private static final long serialVersionUID = 1;

    private final boolean worthRetrying;

    /**
     * Says what failed.
     *
     * @param worthRetrying whether another attempt within the same question makes sense
     */
    HttpOutageException(String message, boolean worthRetrying) {
        super(message);
        this.worthRetrying = worthRetrying;
    }

    boolean worthRetrying() {
        return worthRetrying;
    }
}
