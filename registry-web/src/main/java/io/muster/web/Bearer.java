// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.ProblemType;
import io.muster.fleet.Fleets;
import io.muster.jose.PublicJwk;
import io.muster.operator.Operator;
import io.muster.operator.OperatorSessions;
import io.muster.operator.Operators;
import io.muster.operator.People;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.token.DpopProofs.InvalidProofException;
import io.muster.token.TokenVerifier;
import io.muster.token.VerifiedToken;
import io.muster.web.user.Cookies;
import io.muster.web.user.SignedIn;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.ext.Provider;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Identifies the caller by the token of the request: a bearer token (RFC 6750), or one that is bound to a key and comes
 * with a proof (RFC 9449). Each resource method demands its rights itself, so that no spelling of an address gets
 * around them.
 */
@ApplicationScoped
public class Bearer {

    private static final Set<String> READING = Set.of("GET", "HEAD");
    private static final String BEARER = "bearer ";
    private static final String DPOP = "dpop ";
    private static final String CHALLENGES = Bearer.class.getName() + ".challenges";

    private static final String DPOP_CHALLENGE =
            "DPoP realm=\"muster\", algs=\"" + String.join(" ", PublicJwk.ALGORITHMS) + "\"";

    @Inject
    TokenVerifier tokenVerifier;

    @Inject
    Operators operators;

    @Inject
    People people;

    @Inject
    OperatorSessions sessions;

    @Inject
    SignedIn page;

    @Inject
    Dpop dpop;

    /**
     * Returns the operator who calls, if it has a right for all fleets. A request that concerns no fleet, or all of
     * them, asks for this.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token, {@code FORBIDDEN} if it lacks the right
     */
    public Operator operator(HttpServletRequest request, Right right) {
        Operator operator = operator(request);
        require(operator, right);
        return operator;
    }

    /**
     * Returns the operator who calls, if it has a right for a fleet.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token, {@code NOT_FOUND} as for a fleet that does
     *     not exist if it has no right there, {@code FORBIDDEN} if it has other rights there
     */
    public Operator operator(HttpServletRequest request, Right right, String fleet) {
        Operator operator = operator(request);
        require(operator, right, fleet, Fleets.NO_SUCH_FLEET);
        return operator;
    }

    /**
     * Returns the operator who calls, if it has a right for some fleet. The caller must hide all other fleets.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token, {@code FORBIDDEN} if it has the right
     *     nowhere
     */
    public Operator operatorSomewhere(HttpServletRequest request, Right right) {
        Operator operator = operator(request);
        if (!operator.maySomewhere(right)) {
            throw forbidden("the right " + right.word() + " is required");
        }
        return operator;
    }

    /**
     * Returns the operator who calls, whatever it may do: by a token of this registry or of the company's provider, or
     * by the cookie of the console.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token or cookie; {@code FORBIDDEN} for a person
     *     without a group that gives a grant, or for a change with the cookie that another site's page sent
     */
    public Operator operator(HttpServletRequest request) {
        return session(request)
                .flatMap(text -> signedIn(request, text))
                .or(() -> token(request, BEARER).flatMap(this::operator))
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "no valid operator token"));
    }

    /**
     * Returns what tells later whether the operator who calls may still do something. It throws as {@link #operator} does
     * once the token or the session has ended. It needs no request, and is no use of the session.
     */
    public Supplier<Operator> standing(HttpServletRequest request) {
        Optional<String> cookie = session(request);
        Optional<String> token = token(request, BEARER);
        return () -> cookie.flatMap(sessions::still)
                .or(() -> token.flatMap(this::operator))
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "no valid operator token"));
    }

    private Optional<Operator> operator(String token) {
        return Operators.isToken(token)
                ? operators.authenticate(token).filter(Operator::active)
                : people.authenticate(token);
    }

    private Optional<Operator> signedIn(HttpServletRequest request, String text) {
        Optional<Operator> operator = sessions.find(text).map(OperatorSessions.Session::operator);
        if (operator.isPresent() && !READING.contains(request.getMethod())) {
            page.requireOwnPage(request);
        }
        return operator;
    }

    /** Returns the cookie of the console, which nothing has checked. A token counts alone, whatever cookie comes with it. */
    public static Optional<String> session(HttpServletRequest request) {
        return request.getHeader(HttpHeaders.AUTHORIZATION) == null
                ? Cookies.find(request, Cookies.OPERATOR)
                : Optional.empty();
    }

    /**
     * Demands a right for the fleet of something that was found.
     *
     * @param unseen the detail if everything in the fleet is invisible; the same as if nothing had been found
     * @throws RegistryException {@code NOT_FOUND} without any right there, {@code FORBIDDEN} with others
     */
    public static void require(Operator operator, Right right, String fleet, String unseen) {
        if (operator.may(right, fleet)) {
            return;
        }
        if (!operator.sees(fleet)) {
            throw new RegistryException(ProblemType.NOT_FOUND, unseen);
        }
        throw forbidden("the right " + right.word() + " is required");
    }

    /**
     * Returns the operator who presents a name and a token, in the way in which a client of OAuth presents an id and a
     * secret.
     *
     * @return empty without a valid token of the operator with that name
     * @throws RegistryException {@code FORBIDDEN} if it has the right nowhere
     */
    public Optional<Operator> operator(BasicCredentials presented, Right right) {
        Optional<Operator> operator = operators
                .authenticate(presented.secret())
                .filter(Operator::active)
                .filter(found -> found.name().equals(presented.key()));
        if (operator.isPresent() && !operator.get().maySomewhere(right)) {
            throw forbidden("the right " + right.word() + " is required");
        }
        return operator;
    }

    private static void require(Operator operator, Right right) {
        if (!operator.may(right)) {
            throw forbidden("the right " + right.word() + " is required"
                    + (operator.maySomewhere(right) ? " for all fleets" : ""));
        }
    }

    private static RegistryException forbidden(String detail) {
        return RegistryException.withDetail(ProblemType.FORBIDDEN, detail);
    }

    /**
     * Returns the access token of the device that calls.
     *
     * @throws RegistryException {@code UNAUTHORIZED} without a valid token, or without the proof that belongs to it
     */
    public VerifiedToken device(HttpServletRequest request) {
        return token(request, BEARER)
                .flatMap(tokenVerifier::verify)
                .filter(token -> token.thumbprint().isEmpty())
                .or(() -> bound(request))
                .orElseThrow(() -> new RegistryException(ProblemType.UNAUTHORIZED, "no valid access token"));
    }

    /**
     * Returns the access token that a request presents with a proof by the key that it is bound to, or empty if it
     * presents no good one.
     *
     * @throws RegistryException {@code UNAUTHORIZED} if the proof lacks only a nonce, which the reply has
     */
    public Optional<VerifiedToken> bound(HttpServletRequest request) {
        return token(request, DPOP).flatMap(token -> proved(request, token));
    }

    private Optional<VerifiedToken> proved(HttpServletRequest request, String token) {
        challenge(request, boundTo("invalid_token"));
        Optional<VerifiedToken> verified = tokenVerifier.verify(token);
        if (verified.isEmpty()) {
            return Optional.empty();
        }
        try {
            dpop.requireProof(request, token, verified.get());
            return verified;
        } catch (InvalidProofException e) {
            challenge(request, boundTo(e.error()));
            if (e.isForWantOfANonce()) {
                throw new RegistryException(ProblemType.UNAUTHORIZED, e.getMessage());
            }
            return Optional.empty();
        }
    }

    private static String boundTo(String fault) {
        return DPOP_CHALLENGE + ", error=\"" + fault + "\"";
    }

    /** Makes a 401 ask for the credential itself, or for a token that is bound to a key. */
    public static void challengeForCredential(HttpServletRequest request) {
        challenge(request, "Basic realm=\"muster\"", DPOP_CHALLENGE);
    }

    /** Makes a 401 ask for the token of a user, or for the credential. */
    public static void challengeForUser(HttpServletRequest request) {
        challenge(request, "Bearer realm=\"muster\"", "Basic realm=\"muster\"", DPOP_CHALLENGE);
    }

    /** Returns the bearer token of a request, which nothing has checked. */
    public static Optional<String> presented(HttpServletRequest request) {
        return token(request, BEARER).filter(token -> !token.isEmpty());
    }

    private static void challenge(HttpServletRequest request, String... challenges) {
        request.setAttribute(CHALLENGES, List.of(challenges));
    }

    private static Optional<String> token(HttpServletRequest request, String scheme) {
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        return header != null && header.regionMatches(true, 0, scheme, 0, scheme.length())
                ? Optional.of(header.substring(scheme.length()).strip())
                : Optional.empty();
    }

    /** Adds to every 401 how to authenticate, unless it says that already (RFC 9110 section 11.6.1). */
    @Provider
    public static class Challenge implements ContainerResponseFilter {

        @Override
        public void filter(ContainerRequestContext request, ContainerResponseContext response) {
            if (response.getStatus() == 401 && !response.getHeaders().containsKey(HttpHeaders.WWW_AUTHENTICATE)) {
                response.getHeaders().put(HttpHeaders.WWW_AUTHENTICATE, challenges(request));
            }
        }

        private static List<Object> challenges(ContainerRequestContext request) {
            if (request.getProperty(CHALLENGES) instanceof List<?> challenges) {
                return List.copyOf(challenges);
            }
            boolean presented = request.getHeaderString(HttpHeaders.AUTHORIZATION) != null;
            return List.of("Bearer realm=\"muster\"" + (presented ? ", error=\"invalid_token\"" : ""));
        }
    }
}
