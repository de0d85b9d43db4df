package io.muster.web.device;

import io.muster.Registry;
import io.muster.json.Json;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** Where a device gets a nonce for a proof. Public, and stores nothing. */
@Path("/nonce")
@ApplicationScoped
public class NonceResource {

    @Inject
    Registry registry;

    /** Returns a new nonce; the body of the request is not looked at. */
    @POST
    public Response nonce() {
        return Response.ok(Json.bytes(registry.nonces().issue()), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
