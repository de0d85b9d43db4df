// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.credential.AuthenticatedDevice;
import io.muster.statistics.Statistics;
import io.muster.token.DpopProof;
import io.muster.token.DpopProofs;
import io.muster.token.DpopProofs.InvalidProofException;
import io.muster.token.TokenIssuer;
import io.muster.web.Dpop;
import io.muster.web.Form;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The OAuth 2.0 token endpoint (RFC 6749 section 4.4, client credentials). A device that sends a proof of possession
 * with its request gets a token that is bound to the key of the proof (RFC 9449 section 5).
 */
@Path("/token")
@WithRetrySlot
@ApplicationScoped
public class TokenResource {

    @Inject
    TokenIssuer tokenIssuer;

    @Inject
    DpopProofs dpopProofs;

    @Inject
    ClientAuthentication clients;

    @Inject
    Dpop dpop;

    @Inject
    Statistics statistics;

    /** Issues an access token. */
    @POST
    public Response token(@Context HttpServletRequest request, InputStream body) {
        try {
            return OAuthException.answer(200, issue(request, ClientAuthentication.form(request, body)))
                    .build();
        } catch (OAuthException e) {
            return e.response();
        } catch (InvalidProofException e) {
            return OAuthException.of(e.error(), e.getMessage()).response();
        }
    }

    private Map<String, Object> issue(HttpServletRequest request, Form form)
            throws OAuthException, InvalidProofException {
        String grant =
                form.get("grant_type").orElseThrow(() -> OAuthException.invalidRequest("grant_type is required"));
        if (!grant.equals("client_credentials")) {
            throw OAuthException.of("unsupported_grant_type", "use client_credentials");
        }
        if (form.get("scope").isPresent()) {
            throw OAuthException.of("invalid_scope", "there are no scopes");
        }
        Optional<DpopProof> proof = dpop.proof(request);
        AuthenticatedDevice device = clients.authenticate(request, form);
        if (proof.isPresent()) {
            dpopProofs.spend(proof.get());
        }
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("access_token", tokenIssuer.issue(device, proof));
        token.put("token_type", proof.isPresent() ? "DPoP" : "Bearer");
        token.put("expires_in", tokenIssuer.lifetime().toSeconds());
        statistics.token(device.fleet());
        device.rotateBy().ifPresent(by -> token.put("rotate_by", by.getEpochSecond()));
        return token;
    }
}
