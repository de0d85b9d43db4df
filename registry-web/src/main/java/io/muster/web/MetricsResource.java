package io.muster.web;

import io.muster.Registry;
import io.muster.operator.Right;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;

/** What is measured, for Prometheus, with an operator's token that has the right {@code metrics:read}. */
@Path("/metrics")
@ApplicationScoped
public class MetricsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Returns everything, in Prometheus' text format. */
    @GET
    public Response metrics(@Context HttpServletRequest request) {
        bearer.operator(request, Right.METRICS_READ);
        return Response.ok(registry.metrics(), "text/plain; version=0.0.4; charset=utf-8")
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
