// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.CloneDetector;
import io.muster.limit.Limits;
import io.muster.problem.RegistryException;
import io.muster.registration.CredentialProof;
import io.muster.token.ClientAssertions;
import io.muster.web.BasicCredentials;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.Form;
import io.muster.web.Origin;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Authenticates a device by its credential, in exactly one way, never in the address. At an endpoint of OAuth (RFC 6749
 * section 2.3, RFC 7523 section 2.2) it uses HTTP Basic, its secret in the form, or an assertion that it signed. For a
 * further credential it uses HTTP Basic, an assertion in the JSON, or a token that is bound to a key.
 */
@ApplicationScoped
public class ClientAuthentication {

    private static final String NOT_AUTHENTICATED = "unknown key, wrong secret or assertion, or disabled";

    @Inject
    MusterConfig config;

    @Inject
    ClientAuthenticator authenticator;

    @Inject
    CloneDetector cloneDetector;

    @Inject
    ClientAssertions clientAssertions;

    @Inject
    Limits failures;

    @Inject
    Bearer bearer;

    /** One way to authenticate, not tried yet, and the key that the request claims. */
    private record Attempt(String key, Supplier<Optional<AuthenticatedDevice>> authenticate) {}

    /** Reads the form of a request, which has all parameters of OAuth. Its faults are errors of OAuth too. */
    static Form form(HttpServletRequest request, InputStream body) throws OAuthException {
        byte[] bytes;
        try {
            bytes = Bodies.read(request, body, Bodies.FORM);
        } catch (RegistryException e) {
            throw OAuthException.ofBody(e);
        }
        if (request.getQueryString() != null) {
            throw OAuthException.invalidRequest("parameters belong in the body");
        }
        Form form;
        try {
            form = Form.parse(bytes);
        } catch (IllegalArgumentException e) {
            throw OAuthException.invalidRequest("the form is malformed: " + e.getMessage());
        }
        if (form.hasRepeated()) {
            throw OAuthException.invalidRequest("a parameter is given twice");
        }
        return form;
    }

    /**
     * Authenticates the device that calls.
     *
     * @throws RegistryException {@code TOO_MANY_REQUESTS} instead of a further failure of the same key from the same
     *     address; a device with a good credential never gets it
     */
    AuthenticatedDevice authenticate(HttpServletRequest request, Form form) throws OAuthException {
        Attempt attempt = attempt(request, form);
        if (form.get("client_id").filter(id -> !id.equals(attempt.key())).isPresent()) {
            throw OAuthException.invalidRequest("client_id is not the client that authenticates");
        }
        return authenticate(request, attempt).orElseThrow(() -> OAuthException.invalidClient(NOT_AUTHENTICATED));
    }

    /** Authenticates, and counts a failure. */
    private Optional<AuthenticatedDevice> authenticate(HttpServletRequest request, Attempt attempt) {
        Optional<AuthenticatedDevice> device = attempt.authenticate().get();
        if (device.isEmpty()) {
            String stranger = Origin.of(request, config.trustedProxies()) + " as " + attempt.key();
            failures.count(stranger);
            return device;
        }
        cloneDetector.used(device.get(), Origin.of(request, config.trustedProxies()));
        return device;
    }

    /**
     * Returns the device that wants to have its credential renewed.
     *
     * @param assertion in the JSON of the request
     * @throws RegistryException {@code UNAUTHORIZED} if it does not prove that it has the credential;
     *     {@code TOO_MANY_REQUESTS} as {@link #authenticate}
     */
    CredentialProof renewing(HttpServletRequest request, Optional<String> assertion) {
        Bearer.challengeForCredential(request);
        Optional<Attempt> attempt = attempt(request, assertion);
        if (attempt.isPresent()) {
            return authenticate(request, attempt.get())
                    .map(CredentialProof::of)
                    .orElseThrow(() -> RegistryException.withDetail(ProblemType.UNAUTHORIZED, NOT_AUTHENTICATED));
        }
        return bearer.bound(request)
                .map(CredentialProof::of)
                .orElseThrow(() -> RegistryException.withDetail(
                        ProblemType.UNAUTHORIZED,
                        "Authenticate with the credential, by Authorization: Basic or by the member clientAssertion,"
                                + " or with an access token that is bound to a key, by Authorization: DPoP"));
    }

    /**
     * Returns the device that proves with its registration that it exists already; empty if the request has no good
     * proof. A bad proof counts as none, and not as a failure: the refusal of the registration is counted.
     *
     * @param assertion in the JSON of the request
     * @throws RegistryException {@code UNAUTHORIZED} as {@link Bearer#bound}
     */
    Optional<CredentialProof> registering(HttpServletRequest request, Optional<String> assertion) {
        Bearer.challengeForCredential(request);
        Optional<Attempt> attempt = attempt(request, assertion);
        return attempt.isPresent()
                ? attempt.get().authenticate().get().map(CredentialProof::of)
                : bearer.bound(request).map(CredentialProof::of);
    }

    /** Returns the way that needs the credential itself; empty if the request has none that can be tried. */
    private Optional<Attempt> attempt(HttpServletRequest request, Optional<String> assertion) {
        return assertion.isPresent()
                ? ClientAssertions.claimedKey(assertion.get()).map(key -> byAssertion(key, assertion.get()))
                : BasicCredentials.of(request).map(this::bySecret);
    }

    private Attempt attempt(HttpServletRequest request, Form form) throws OAuthException {
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        Optional<String> secret = form.get("client_secret");
        Optional<String> type = form.get("client_assertion_type");
        Optional<String> assertion = form.get("client_assertion");
        boolean asserts = type.isPresent() || assertion.isPresent();
        if ((header != null && (secret.isPresent() || asserts)) || (secret.isPresent() && asserts)) {
            throw OAuthException.invalidRequest("authenticate in one way");
        }
        if (asserts) {
            return byAssertion(type, assertion);
        }
        if (header != null) {
            return bySecret(BasicCredentials.parse(header)
                    .orElseThrow(() -> OAuthException.invalidClient("the Authorization header is not HTTP Basic")));
        }
        if (secret.isEmpty() || form.get("client_id").isEmpty()) {
            throw OAuthException.invalidClient("the client did not authenticate");
        }
        return bySecret(new BasicCredentials(form.get("client_id").get(), secret.get()));
    }

    private Attempt bySecret(BasicCredentials presented) {
        return new Attempt(presented.key(), () -> authenticator.authenticate(presented.key(), presented.secret()));
    }

    private Attempt byAssertion(String key, String assertion) {
        return new Attempt(key, () -> clientAssertions.authenticate(assertion));
    }

    private Attempt byAssertion(Optional<String> type, Optional<String> assertion) throws OAuthException {
        if (type.isEmpty() || assertion.isEmpty()) {
            throw OAuthException.invalidRequest("client_assertion and client_assertion_type come together");
        }
        if (!type.get().equals(ClientAssertions.TYPE)) {
            throw OAuthException.invalidClient("the only client_assertion_type is " + ClientAssertions.TYPE);
        }
        String key = ClientAssertions.claimedKey(assertion.get())
                .orElseThrow(() -> OAuthException.invalidClient("the client_assertion is not a JWT with a subject"));
        return byAssertion(key, assertion.get());
    }
}
