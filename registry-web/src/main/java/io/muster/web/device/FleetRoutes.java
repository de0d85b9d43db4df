// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.fleet.Fleets;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.ext.Provider;

/** Forwards a fleet's own route to the registration of that fleet. */
@Provider
@PreMatching
public class FleetRoutes implements ContainerRequestFilter {

    // The server may create a provider before the registry runs.
    @Inject
    jakarta.inject.Provider<Fleets> fleets;

    /** The fleets of the provider, which looks for them each time it is asked. */
    private volatile Fleets found;

    @Override
    public void filter(ContainerRequestContext request) {
        UriInfo uri = request.getUriInfo();
        String path = uri.getPath();
        found()
                // Some servers leave the slash out.
                .route(path.startsWith("/") ? path : "/" + path)
                .ifPresent(fleet -> request.setRequestUri(uri.getBaseUriBuilder()
                        .path("fleets")
                        .path(fleet)
                        .path("register")
                        .build()));
    }

    private Fleets found() {
        Fleets there = found;
        if (there == null) {
            there = fleets.get();
            found = there;
        }
        return there;
    }
}
