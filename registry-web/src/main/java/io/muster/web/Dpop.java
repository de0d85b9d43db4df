// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.token.DpopProof;
import io.muster.token.DpopProofs;
import io.muster.token.DpopProofs.InvalidProofException;
import io.muster.token.VerifiedToken;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.ext.Provider;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The header in which a device proves that it has a key (RFC 9449). Every reply to one has a nonce for the next. */
@Provider
@ApplicationScoped
public class Dpop implements ContainerResponseFilter {

    private static final String HEADER = "DPoP";

    @Inject
    DpopProofs dpopProofs;

    /**
     * Returns the proof of a request, not used up yet; empty if it has none.
     *
     * @throws InvalidProofException if it has several, or one that is not good
     */
    public Optional<DpopProof> proof(HttpServletRequest request) throws InvalidProofException {
        List<String> headers = headers(request);
        return headers.isEmpty()
                ? Optional.empty()
                : Optional.of(dpopProofs.check(only(headers), request.getMethod(), path(request)));
    }

    /**
     * Checks that a request has a proof for its token, and uses the proof up.
     *
     * @throws InvalidProofException if not
     */
    void requireProof(HttpServletRequest request, String token, VerifiedToken verified) throws InvalidProofException {
        dpopProofs.use(only(headers(request)), request.getMethod(), path(request), token, verified);
    }

    private static List<String> headers(HttpServletRequest request) {
        return Collections.list(request.getHeaders(HEADER));
    }

    private static String only(List<String> headers) throws InvalidProofException {
        if (headers.size() != 1) {
            throw InvalidProofException.because("there must be one header " + HEADER);
        }
        return headers.get(0);
    }

    /** Returns the path as it was sent, below the address of the registry. */
    private static String path(HttpServletRequest request) {
        return request.getRequestURI().substring(request.getContextPath().length());
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        if (request.getHeaders().containsKey(HEADER)) {
            response.getHeaders().putSingle("DPoP-Nonce", dpopProofs.nextNonce());
        }
    }
}
