// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.credential.AuthenticatedDevice;
import io.muster.token.RevokedTokens;
import io.muster.token.TokenVerifier;
import io.muster.web.Form;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;

/** The endpoint where a device revokes an access token of its own before it expires (RFC 7009). */
@Path("/revoke")
@WithRetrySlot
@ApplicationScoped
public class RevocationResource {

    @Inject
    TokenVerifier tokenVerifier;

    @Inject
    RevokedTokens revokedTokens;

    @Inject
    ClientAuthentication clients;

    /** Revokes a token. The answer is the same for a token of another device, or for none at all. */
    @POST
    public Response revoke(@Context HttpServletRequest request, InputStream body) {
        try {
            Form form = ClientAuthentication.form(request, body);
            String token = form.get("token").orElseThrow(() -> OAuthException.invalidRequest("token is required"));
            AuthenticatedDevice device = clients.authenticate(request, form);
            tokenVerifier
                    .verify(token)
                    .filter(verified -> verified.deviceId().equals(device.deviceId()))
                    .ifPresent(revokedTokens::revoke);
            return Response.ok().header(HttpHeaders.CACHE_CONTROL, "no-store").build();
        } catch (OAuthException e) {
            return e.response();
        }
    }
}
