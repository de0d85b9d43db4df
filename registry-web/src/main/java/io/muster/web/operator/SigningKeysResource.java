// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.token.SigningKeys;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The keys that sign access tokens, for operators. */
@Path("/api/v1/signing-keys")
@ApplicationScoped
public class SigningKeysResource {

    private static final int MAX_REASON = 200;

    @Inject
    SigningKeys signingKeys;

    @Inject
    Bearer bearer;

    /** Lists the published keys, the oldest first. */
    @GET
    public Response list(@Context HttpServletRequest request) {
        bearer.operator(request, Right.SIGNING_WRITE);
        return Replies.json(keys()).build();
    }

    /**
     * Publishes the next key ahead of schedule. With {@code {"emergency": true}} a new key signs at once and every
     * other is dropped. The reason goes into the record.
     */
    @POST
    @Path("/rotate")
    public Response rotate(@Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SIGNING_WRITE);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<Boolean> emergency = fields.flag("emergency");
        Optional<String> reason = fields.text(
                        "reason",
                        "a string of at most " + MAX_REASON + " characters and no control characters",
                        text -> text.length() <= MAX_REASON && text.chars().noneMatch(Character::isISOControl))
                .filter(text -> !text.isBlank());
        fields.require("emergency");
        fields.check();
        if (emergency.orElseThrow()) {
            signingKeys.replaceAll(reason, operator.name());
        } else {
            signingKeys.rotate(reason, operator.name());
        }
        return Replies.stored(Map.of(), this::keys).build();
    }

    private Map<String, Object> keys() {
        return Map.of(
                "signingKeys",
                signingKeys.list().stream().map(SigningKeysResource::view).toList());
    }

    private static Map<String, Object> view(SigningKeys.Entry key) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("kid", key.kid());
        view.put("algorithm", key.algorithm());
        view.put("state", key.state().word());
        view.put("createdAt", key.createdAt());
        view.put("notBefore", key.notBefore());
        key.notAfter().ifPresent(at -> view.put("notAfter", at));
        key.publishedUntil().ifPresent(at -> view.put("publishedUntil", at));
        return view;
    }
}
