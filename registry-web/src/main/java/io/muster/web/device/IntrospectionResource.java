package io.muster.web.device;

import io.muster.Registry;
import io.muster.api.Problem;
import io.muster.json.Json;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.token.VerifiedToken;
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

/** Tells a resource server whether a device's access token is good now (RFC 7662). */
@Path("/introspect")
@InTurn
@ApplicationScoped
public class IntrospectionResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Answers for a token; of one that is not active it says nothing else. */
    @POST
    public Response introspect(@Context HttpServletRequest request, InputStream body) {
        bearer.operator(request, Right.INTROSPECT);
        byte[] bytes = Bodies.read(request, body, Bodies.FORM);
        Map<String, Object> answer = registry.tokenVerifier()
                .verify(token(bytes))
                .map(IntrospectionResource::active)
                .orElse(Map.of("active", false));
        return Response.ok(Json.bytes(answer), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    private static String token(byte[] bytes) {
        try {
            Form form = Form.parse(bytes);
            if (form.get("token").isPresent() && !form.hasRepeated()) {
                return form.get("token").get();
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw RegistryException.invalid(List.of(new Problem.Fault("#/token", "is required, once, in a form")));
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
