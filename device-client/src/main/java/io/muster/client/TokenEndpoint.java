// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** The token endpoint: one token for one credential of any kind. */
final class TokenEndpoint {

    private static final String ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private final Registry registry;
    private final Authentication authentication;
    private final Waiting waiting;
    private final boolean dpop;

    TokenEndpoint(Registry registry, Authentication authentication, Waiting waiting, boolean dpop) {
        this.registry = registry;
        this.authentication = authentication;
        this.waiting = waiting;
        this.dpop = dpop;
    }

    /**
     * Asks once, as {@link Authentication#authenticated} does. A DPoP proof is repeated with the nonce that the
     * registry asks for.
     *
     * @param stored has the registry's address
     * @param credential one of those that are stored
     * @throws IllegalStateException if proofs are wanted and the credential has no key
     */
    AccessToken ask(StoreContent stored, Credential credential, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        if (dpop && credential.deviceKey() == null) {
            throw new IllegalStateException("DPoP needs a key that the device made itself; this device has a secret");
        }
        return authentication.authenticated(credential, byTime -> ask(stored, credential, byTime, limit));
    }

    private AccessToken ask(StoreContent stored, Credential credential, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        try {
            return askOnce(stored, credential, byTime, limit);
        } catch (RefusedException e) {
            if (dpop && e.type().equals("use_dpop_nonce")) {
                return askOnce(stored, credential, byTime, limit);
            }
            throw e;
        }
    }

    private AccessToken askOnce(StoreContent stored, Credential credential, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        long asked = waiting.nanoTime();
        Map<String, String> form = new LinkedHashMap<>();
        Map<String, String> headers = new LinkedHashMap<>();
        form.put("grant_type", "client_credentials");
        if (credential.deviceKey() == null) {
            headers.put("Authorization", Authentication.basic(credential));
        } else {
            form.put("client_assertion_type", ASSERTION_TYPE);
            form.put("client_assertion", authentication.assertion(stored, credential, byTime, limit));
        }
        if (dpop) {
            Map<String, Object> claims = AccessToken.proofClaims(
                    "POST", registry.issuer(stored) + "/token", authentication.time(), registry.dpopNonce());
            headers.put("DPoP", AccessToken.proof(credential.deviceKey(), claims));
        }
        Registry.Answer answer =
                registry.postForm(Registry.at(registry.address(stored), "/token"), form, headers, limit);
        return AccessToken.read(answer, credential, dpop, asked);
    }
}
