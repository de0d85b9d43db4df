package io.muster.web;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.token.VerifiedToken;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.ext.Provider;
import java.util.Optional;

/**
 * Who calls, by the bearer token of the request (RFC 6750). Each resource method asks for what it needs itself, so that no
 * spelling of an address gets around it.
 */
@ApplicationScoped
public class Bearer {

    private static final String SCHEME = "bearer ";

    @Inject
    Registry registry;

    /**
     * Returns the operator who calls.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token, {@code FORBIDDEN} if it lacks the right
     */
    public Operator operator(HttpServletRequest request, Right right) {
        Operator operator = token(request)
                .flatMap(registry.operators()::authenticate)
                .filter(Operator::active)
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "no valid operator token"));
        if (!operator.may(right)) {
            throw RegistryException.withDetail(ProblemType.FORBIDDEN, "the right " + right.word() + " is required");
        }
        return operator;
    }

    /**
     * Returns the access token of the device that calls.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token
     */
    public VerifiedToken device(HttpServletRequest request) {
        return presented(request)
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "no valid access token"));
    }

    /** Returns the access token that a request presents, or empty if it presents none that is valid. */
    public Optional<VerifiedToken> presented(HttpServletRequest request) {
        return token(request).flatMap(registry.tokenVerifier()::verify);
    }

    private static Optional<String> token(HttpServletRequest request) {
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        return header != null && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                ? Optional.of(header.substring(SCHEME.length()).strip())
                : Optional.empty();
    }

    /** Says how to authenticate with every 401 that does not say it already (RFC 9110 section 11.6.1). */
    @Provider
    public static class Challenge implements ContainerResponseFilter {

        @Override
        public void filter(ContainerRequestContext request, ContainerResponseContext response) {
            if (response.getStatus() == 401 && !response.getHeaders().containsKey(HttpHeaders.WWW_AUTHENTICATE)) {
                boolean presented = request.getHeaderString(HttpHeaders.AUTHORIZATION) != null;
                response.getHeaders()
                        .putSingle(
                                HttpHeaders.WWW_AUTHENTICATE,
                                "Bearer realm=\"muster\"" + (presented ? ", error=\"invalid_token\"" : ""));
            }
        }
    }
}
