package io.muster.web.device;

import io.muster.Registry;
import io.muster.credential.AuthenticatedDevice;
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

/** Where a device ends an access token of its own before it expires (RFC 7009). */
@Path("/revoke")
@InTurn
@ApplicationScoped
public class RevocationResource {

    @Inject
    Registry registry;

    @Inject
    ClientAuthentication clients;

    /** Revokes a token; the answer is the same for one that is another's, or none at all. */
    @POST
    public Response revoke(@Context HttpServletRequest request, InputStream body) {
        try {
            Form form = ClientAuthentication.form(request, body);
            String token = form.get("token").orElseThrow(() -> OAuthException.invalidRequest("token is required"));
            AuthenticatedDevice device = clients.authenticate(request, form);
            registry.tokenVerifier()
                    .verify(token)
                    .filter(verified -> verified.deviceId().equals(device.deviceId()))
                    .ifPresent(registry.revokedTokens()::revoke);
            return Response.ok().header(HttpHeaders.CACHE_CONTROL, "no-store").build();
        } catch (OAuthException e) {
            return e.response();
        }
    }
}
