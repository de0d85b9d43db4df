// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;

/**
 * A source of access tokens, for code that needs one and need not know how a device gets it. Implementations are
 * thread-safe.
 */
@FunctionalInterface
public interface TokenSource {

    /**
     * Returns a token to send with the next request. Ask each time: the source caches and renews it.
     *
     * @return a token that has not expired
     * @throws RefusedException if there will be none until somebody changes something
     * @throws IOException if there is none now
     * @throws InterruptedException if interrupted while waiting
     */
    String accessToken() throws IOException, RefusedException, InterruptedException;

    /**
     * Returns the value of the header {@code Authorization} (RFC 6750).
     *
     * @return {@code Bearer} and the token
     * @throws RefusedException as {@link #accessToken()}
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException as {@link #accessToken()}
     */
    default String bearer() throws IOException, RefusedException, InterruptedException {
        return "Bearer " + accessToken();
    }
}
