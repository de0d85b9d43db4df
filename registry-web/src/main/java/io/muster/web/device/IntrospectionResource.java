// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.Problem;
import io.muster.json.Json;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.token.TokenVerifier;
import io.muster.token.VerifiedToken;
import io.muster.web.BasicCredentials;
import io.muster.web.Bearer;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells a resource server whether a device's access token is good now (RFC 7662). The server authenticates with an
 * operator's token. It sends it as a bearer token, or, like libraries of OAuth, as the secret of a client by HTTP Basic
 * or in the form. The client id is then the operator's name.
 */
@Path("/introspect")
@WithRetrySlot
@ApplicationScoped
public class IntrospectionResource {

    @Inject
    TokenVerifier tokenVerifier;

    @Inject
    Bearer bearer;

    /** Answers for a token. For one that is not active, the answer has nothing else. */
    @POST
    public Response introspect(@Context HttpServletRequest request, InputStream body) {
        // Check it before the body is read, if the caller is identified in the header.
        boolean known = request.getHeader(HttpHeaders.AUTHORIZATION) != null;
        try {
            if (known) {
                authenticate(request);
            }
            Form form = form(Bodies.read(request, body, Bodies.FORM));
            if (!known) {
                authenticate(request, form);
            }
            if (request.getQueryString() != null) {
                // A token in an address ends up in the logs of every proxy.
                throw RegistryException.invalid(List.of(new Problem.Fault("#", "parameters belong in the body")));
            }
            return answer(form);
        } catch (OAuthException e) {
            return e.response();
        }
    }

    private void authenticate(HttpServletRequest request) throws OAuthException {
        Optional<BasicCredentials> presented = BasicCredentials.of(request);
        if (presented.isPresent()) {
            authenticate(presented.get());
        } else {
            bearer.operator(request, Right.INTROSPECT);
        }
    }

    private void authenticate(HttpServletRequest request, Form form) throws OAuthException {
        if (form.get("client_id").isPresent() && form.get("client_secret").isPresent()) {
            authenticate(new BasicCredentials(
                    form.get("client_id").get(), form.get("client_secret").get()));
        } else {
            bearer.operator(request, Right.INTROSPECT);
        }
    }

    private void authenticate(BasicCredentials presented) throws OAuthException {
        if (bearer.operator(presented, Right.INTROSPECT).isEmpty()) {
            throw OAuthException.invalidClient(
                    "client_id must be the name of an operator, and client_secret its token");
        }
    }

    private Response answer(Form form) {
        String token = form.get("token").orElseThrow(IntrospectionResource::noToken);
        Map<String, Object> answer =
                tokenVerifier.verify(token).map(IntrospectionResource::active).orElse(Map.of("active", false));
        return Response.ok(Json.bytes(answer), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    private static Form form(byte[] bytes) {
        try {
            Form form = Form.parse(bytes);
            if (!form.hasRepeated()) {
                return form;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw noToken();
    }

    private static RegistryException noToken() {
        return RegistryException.invalid(List.of(new Problem.Fault("#/token", "is required, once, in a form")));
    }

    private static Map<String, Object> active(VerifiedToken token) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("active", true);
        answer.put("sub", token.deviceId().value());
        answer.put("client_id", token.key());
        answer.put("fleet", token.fleet());
        answer.put("iss", token.issuer());
        answer.put("aud", token.audience());
        answer.put("iat", token.issuedAt().getEpochSecond());
        answer.put("exp", token.expiresAt().getEpochSecond());
        answer.put("jti", token.id());
        answer.put("token_type", token.thumbprint().isPresent() ? "DPoP" : "Bearer");
        token.thumbprint().ifPresent(thumbprint -> answer.put("cnf", Map.of("jkt", thumbprint)));
        return answer;
    }
}
