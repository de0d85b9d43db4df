// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.RegistrationTokens;
import io.muster.operator.Right;
import io.muster.verification.SerialForm;
import io.muster.verification.jwt.RegistrationTokenSigner;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Registration tokens, for operators. */
@Path("/api/v1/fleets/{fleet}/registration-tokens")
@ApplicationScoped
public class RegistrationTokensResource {

    private static final int LONGEST_URL = 1000;
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofDays(36_500);

    @Inject
    Fleets fleets;

    @Inject
    RegistrationTokens registrationTokens;

    @Inject
    Bearer bearer;

    /**
     * Makes a token from {@code {"verifier", "serial", "url", "expiresIn"}}, all optional; the reply shows it this
     * once.
     */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.KEYS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        RegistrationTokenSigner.Signed signed = registrationTokens.create(
                fleet,
                wish(Bodies.read(request, body, Bodies.JSON), fleet.document().serials()),
                operator.name());
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("token", signed.token());
        signed.expiresAt().ifPresent(at -> view.put("expiresAt", at));
        return Replies.json(view).status(201).build();
    }

    static RegistrationTokens.Wish wish(byte[] body, SerialForm form) {
        Fields fields = Fields.of(body);
        RegistrationTokens.Wish wish = new RegistrationTokens.Wish(
                fields.text("verifier"),
                fields.meaning("serial", form.syntax(), form::of),
                fields.meaning("url", "an http or https address", RegistrationTokensResource::address),
                fields.duration("expiresIn", SHORTEST, LONGEST));
        fields.refuseNulls();
        fields.check();
        return wish;
    }

    private static Optional<URI> address(String text) {
        try {
            URI uri = new URI(text);
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            return web && uri.getHost() != null && uri.getRawUserInfo() == null && text.length() <= LONGEST_URL
                    ? Optional.of(uri)
                    : Optional.empty();
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }
}
