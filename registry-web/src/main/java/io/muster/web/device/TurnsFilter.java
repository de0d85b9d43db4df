package io.muster.web.device;

import io.muster.Registry;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.Provider;

/** Counts what was served, and says in every 503, whatever was its cause, when to come back. */
@Provider
@InTurn
@ApplicationScoped
public class TurnsFilter implements ContainerResponseFilter {

    @Inject
    Registry registry;

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        int status = response.getStatus();
        if (status == Response.Status.SERVICE_UNAVAILABLE.getStatusCode()) {
            response.getHeaders()
                    .putSingle(HttpHeaders.RETRY_AFTER, registry.turns().next().toSeconds());
        } else if (status < 300) {
            registry.turns().served();
        }
    }
}
