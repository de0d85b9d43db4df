// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.json.Json;
import io.muster.once.Nonces;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** Issues nonces for proofs. Public, and stores nothing. */
@Path("/nonce")
@ApplicationScoped
public class NonceResource {

    @Inject
    Nonces nonces;

    /** Returns a new nonce. The body of the request is ignored. */
    @POST
    public Response nonce() {
        return Response.ok(Json.bytes(nonces.issue()), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
