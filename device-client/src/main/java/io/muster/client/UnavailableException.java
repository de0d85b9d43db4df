// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;

/**
 * The registry could not be asked, or had no answer yet, for as long as the client was told to try. Nothing is decided:
 * the registry may even have accepted the request, and the reply was lost. It is safe to call again. The message names
 * the last failure, and no secret.
 */
public final class UnavailableException extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final Duration retryAfter;

    UnavailableException(String message, Duration retryAfter, Throwable cause) {
        super(message, cause);
        this.retryAfter = retryAfter;
    }

    /**
     * Returns how long the client will wait before it asks again, counted from this exception: the registry's
     * {@code Retry-After}, or the backoff. You may call earlier; that call waits. If its limit ends before the wait
     * does, it fails at once without any traffic.
     *
     * @return zero or more; never null
     */
    public Duration retryAfter() {
        return retryAfter;
    }
}
