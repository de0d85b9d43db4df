// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.Problem;
import io.muster.json.Json;
import io.muster.operator.Operator;
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
            Optional<Operator> early = known ? Optional.of(authenticate(request)) : Optional.empty();
            Form form = form(Bodies.read(request, body, Bodies.FORM));
            Operator operator = early.isPresent() ? early.get() : authenticate(request, form);
            if (request.getQueryString() != null) {
                // A token in an address ends up in the logs of every proxy.
                throw RegistryException.invalid(List.of(new Problem.Fault("#", "parameters belong in the body")));
            }
            return answer(operator, form);
        } catch (OAuthException e) {
            return e.response();
        }
    }

    private Operator authenticate(HttpServletRequest request) throws OAuthException {
        Optional<BasicCredentials> presented = BasicCredentials.of(request);
        return presented.isPresent()
                ? authenticate(presented.get())
                : bearer.operatorSomewhere(request, Right.INTROSPECT);
    }

    private Operator authenticate(HttpServletRequest request, Form form) throws OAuthException {
        if (form.get("client_id").isPresent() && form.get("client_secret").isPresent()) {
            return authenticate(new BasicCredentials(
                    form.get("client_id").get(), form.get("client_secret").get()));
        }
        return bearer.operatorSomewhere(request, Right.INTROSPECT);
    }

    private Operator authenticate(BasicCredentials presented) throws OAuthException {
        return bearer.operator(presented, Right.INTROSPECT)
                .orElseThrow(() -> OAuthException.invalidClient(
                        "client_id must be the name of an operator, and client_secret its token"));
    }

    private Response answer(Operator operator, Form form) {
        String token = form.get("token").orElseThrow(IntrospectionResource::noToken);
        Map<String, Object> answer = tokenVerifier
                .verify(token)
                // The token of a device in a fleet that the caller may not see is no token for that caller.
                .filter(verified -> operator.may(Right.INTROSPECT, verified.fleet()))
                .map(IntrospectionResource::active)
                .orElse(Map.of("active", false));
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
