package io.muster.web.device;

import io.muster.Registry;
import io.muster.credential.AuthenticatedDevice;
import io.muster.problem.RegistryException;
import io.muster.token.ClientAssertions;
import io.muster.web.BasicCredentials;
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
 * How a device authenticates at an endpoint of OAuth (RFC 6749 section 2.3, RFC 7523 section 2.2): by HTTP Basic, by its secret in
 * the form, or by an assertion that it signed; in exactly one way, never in the address.
 */
@ApplicationScoped
public class ClientAuthentication {

    @Inject
    Registry registry;

    /** One way to authenticate, not tried yet, and the key that it claims to have. */
    private record Attempt(String key, Supplier<Optional<AuthenticatedDevice>> authenticate) {}

    /** Reads the form of a request; everything that OAuth has to say is in it. */
    static Form form(HttpServletRequest request, InputStream body) throws OAuthException {
        byte[] bytes = Bodies.read(request, body, Bodies.FORM);
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
     * @throws RegistryException {@code TOO_MANY_REQUESTS} instead of a further failure of the same key from the same address; who is
     *     right is never answered that
     */
    AuthenticatedDevice authenticate(HttpServletRequest request, Form form) throws OAuthException {
        Attempt attempt = attempt(request, form);
        if (form.get("client_id").filter(id -> !id.equals(attempt.key())).isPresent()) {
            throw OAuthException.invalidRequest("client_id is not the client that authenticates");
        }
        Optional<AuthenticatedDevice> device = attempt.authenticate().get();
        if (device.isEmpty()) {
            String stranger = Origin.of(request) + " as " + attempt.key();
            registry.failures().check(stranger);
            registry.failures().refused(stranger);
            throw OAuthException.invalidClient("unknown client, wrong secret or assertion, or disabled");
        }
        registry.twoPlaces().used(device.get(), Origin.of(request));
        return device.get();
    }

    private Attempt attempt(HttpServletRequest request, Form form) throws OAuthException {
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        Optional<String> secret = form.get("client_secret");
        Optional<String> type = form.get("client_assertion_type");
        Optional<String> assertion = form.get("client_assertion");
        boolean asserts = type.isPresent() || assertion.isPresent();
        if (header != null && (secret.isPresent() || asserts) || secret.isPresent() && asserts) {
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
        return new Attempt(
                presented.key(), () -> registry.authenticator().authenticate(presented.key(), presented.secret()));
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
        return new Attempt(key, () -> registry.clientAssertions().authenticate(assertion.get()));
    }
}
