// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.muster.cdi.Ours;
import io.muster.operator.Right;
import io.muster.start.Metrics;
import io.muster.web.operator.Download;
import io.muster.web.operator.EventStreams;
import jakarta.annotation.PostConstruct;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;

/** The measurements, for Prometheus. Needs an operator's token with the right {@code metrics:read}. */
@Path("/metrics")
@ApplicationScoped
public class MetricsResource {

    @Inject
    Metrics metrics;

    @Inject
    Bearer bearer;

    @Inject
    @Ours
    MeterRegistry meters;

    @Inject
    EventStreams streams;

    @PostConstruct
    void measure() {
        Gauge.builder("muster.downloads.open", Download::open)
                .description("downloads that are being written")
                .register(meters);
        Gauge.builder("muster.streams.open", streams, EventStreams::open)
                .description("streams of events that operators read from this node")
                .register(meters);
    }

    /** Returns everything, in Prometheus' text format. */
    @GET
    public Response metrics(@Context HttpServletRequest request) {
        bearer.operator(request, Right.METRICS_READ);
        return Response.ok(metrics.text(), "text/plain; version=0.0.4; charset=utf-8")
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
