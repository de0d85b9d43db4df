// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import java.net.URI;

/** An identity provider, as far as a sign-in needs it. */
interface SignInProvider {

    /** Returns the {@code iss} of its tokens. */
    String issuer();

    /** Returns the registry's name there. */
    String clientId();

    /** Returns the scopes to ask for, separated by blanks. */
    String scopes();

    /**
     * Returns the address to which browsers are sent.
     *
     * @throws SignInException if it cannot be found out now
     */
    URI authorization() throws SignInException;

    /**
     * Asks for the ID token that belongs to a code, and checks it.
     *
     * @param code as the browser brought it
     * @param verifier proves that this registry began the sign-in (RFC 7636)
     * @param redirect the address at which the code arrived
     * @param nonce that the ID token must have
     * @throws SignInException if there is none that is good
     */
    User user(String code, String verifier, URI redirect, String nonce) throws SignInException;
}
