package io.muster.web.device;

import io.muster.web.Wiring;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.ext.Provider;

/** Leads a route of a fleet's own to where that fleet registers. */
@Provider
@PreMatching
public class FleetRoutes implements ContainerRequestFilter {

    // A provider may be made before the registry runs.
    @Inject
    Wiring wiring;

    @Override
    public void filter(ContainerRequestContext request) {
        UriInfo uri = request.getUriInfo();
        String path = uri.getPath();
        wiring.registry()
                .fleets()
                // Some servers leave the slash out.
                .route(path.startsWith("/") ? path : "/" + path)
                .ifPresent(fleet -> request.setRequestUri(uri.getBaseUriBuilder()
                        .path("fleets")
                        .path(fleet)
                        .path("register")
                        .build()));
    }
}
