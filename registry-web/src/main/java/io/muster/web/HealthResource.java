// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.json.Json;
import io.muster.start.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.inject.Provider;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;

/** For load balancers and supervisors. Answers only up or down. */
@Path("/health")
@ApplicationScoped
public class HealthResource {

    @Inject
    Provider<Startup> startup;

    /** Up as long as the process answers, even if it cannot work. */
    @GET
    @Path("/live")
    public Response live() {
        return answer(true);
    }

    /** Up if devices can register and authenticate here now: the registry runs and its database answers. */
    @GET
    @Path("/ready")
    public Response ready() {
        boolean ready;
        try {
            ready = startup.get().isReady();
        } catch (RuntimeException e) {
            ready = false;
        }
        return answer(ready);
    }

    private static Response answer(boolean up) {
        return Response.status(up ? 200 : 503)
                .type(MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .entity(Json.bytes(Map.of("status", up ? "UP" : "DOWN")))
                .build();
    }
}
