package io.muster.web.device;

import io.muster.Registry;
import io.muster.credential.AuthenticatedDevice;
import io.muster.json.Json;
import io.muster.web.BasicCredentials;
import io.muster.web.Bodies;
import io.muster.web.Form;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The OAuth 2.0 token endpoint (RFC 6749 section 4.4, client credentials). A device authenticates with key and secret, by HTTP
 * Basic or in the form, never both, never in the address. Errors have the form of section 5.2.
 */
@Path("/token")
@ApplicationScoped
public class TokenResource {

    @Inject
    Registry registry;

    /** An error of RFC 6749 section 5.2. */
    private static final class OAuthException extends Exception {

        private static final long serialVersionUID = 1;

        private final int status;
        private final String error;

        OAuthException(int status, String error, String description) {
            super(description, null, false, false);
            this.status = status;
            this.error = error;
        }
    }

    /** Issues an access token. */
    @POST
    public Response token(@Context HttpServletRequest request, InputStream body) {
        byte[] bytes = Bodies.read(request, body, Bodies.FORM);
        try {
            return answer(200, issue(request, form(bytes)));
        } catch (OAuthException e) {
            Map<String, Object> error = new LinkedHashMap<>();
            error.put("error", e.error);
            error.put("error_description", e.getMessage());
            return answer(e.status, error);
        }
    }

    private Map<String, Object> issue(HttpServletRequest request, Form form) throws OAuthException {
        if (request.getQueryString() != null) {
            throw new OAuthException(400, "invalid_request", "parameters belong in the body");
        }
        if (form.hasRepeated()) {
            throw new OAuthException(400, "invalid_request", "a parameter is given twice");
        }
        if (form.get("client_assertion").isPresent()
                || form.get("client_assertion_type").isPresent()) {
            throw new OAuthException(401, "invalid_client", "client assertions are not offered");
        }
        BasicCredentials presented = presented(request, form);
        String grant = form.get("grant_type")
                .orElseThrow(() -> new OAuthException(400, "invalid_request", "grant_type is required"));
        if (!grant.equals("client_credentials")) {
            throw new OAuthException(400, "unsupported_grant_type", "use client_credentials");
        }
        if (form.get("scope").isPresent()) {
            throw new OAuthException(400, "invalid_scope", "there are no scopes");
        }
        AuthenticatedDevice device = registry.authenticator()
                .authenticate(presented.key(), presented.secret())
                .orElseThrow(
                        () -> new OAuthException(401, "invalid_client", "unknown client, wrong secret, or disabled"));
        registry.twoPlaces().used(device, request.getRemoteAddr());
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("access_token", registry.tokenIssuer().issue(device));
        token.put("token_type", "Bearer");
        token.put("expires_in", registry.tokenIssuer().lifetime().toSeconds());
        device.rotateBy().ifPresent(by -> token.put("rotate_by", by.getEpochSecond()));
        return token;
    }

    private static Form form(byte[] bytes) throws OAuthException {
        try {
            return Form.parse(bytes);
        } catch (IllegalArgumentException e) {
            throw new OAuthException(400, "invalid_request", "the form is malformed: " + e.getMessage());
        }
    }

    private static BasicCredentials presented(HttpServletRequest request, Form form) throws OAuthException {
        Optional<String> key = form.get("client_id");
        Optional<String> secret = form.get("client_secret");
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        if (header == null) {
            if (key.isEmpty() || secret.isEmpty()) {
                throw new OAuthException(401, "invalid_client", "the client did not authenticate");
            }
            return new BasicCredentials(key.get(), secret.get());
        }
        if (secret.isPresent()) {
            throw new OAuthException(400, "invalid_request", "authenticate in one way");
        }
        BasicCredentials basic = basic(header);
        if (key.isPresent() && !key.get().equals(basic.key())) {
            throw new OAuthException(400, "invalid_request", "client_id is not the client that authenticates");
        }
        return basic;
    }

    private static BasicCredentials basic(String header) throws OAuthException {
        return BasicCredentials.parse(header)
                .orElseThrow(
                        () -> new OAuthException(401, "invalid_client", "the Authorization header is not HTTP Basic"));
    }

    private static Response answer(int status, Map<String, Object> body) {
        Response.ResponseBuilder response = Response.status(status)
                .type(MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Pragma", "no-cache")
                .entity(Json.bytes(body));
        if (status == 401) {
            response.header(HttpHeaders.WWW_AUTHENTICATE, "Basic realm=\"muster\", charset=\"UTF-8\"");
        }
        return response.build();
    }
}
