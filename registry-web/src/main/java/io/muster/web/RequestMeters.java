// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.muster.cdi.Ours;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.ext.Provider;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;

/**
 * Measures every request, by the names of OpenTelemetry's conventions for HTTP servers. The time begins when the body has
 * arrived, and ends when the answer is ready to be sent. It contains the time for which a refusal is held back.
 */
@Provider
@PreMatching
@Priority(Integer.MIN_VALUE)
@ApplicationScoped
public class RequestMeters implements ContainerRequestFilter, ContainerResponseFilter {

    private static final String BEGAN = RequestMeters.class.getName();

    /** Others are one, so that strangers cannot make new names. */
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

    /** Those of the conventions. */
    private static final Duration[] BUCKETS = DoubleStream.of(
                    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
            .mapToObj(seconds -> Duration.ofMillis((long) (seconds * 1000)))
            .toArray(Duration[]::new);

    @Inject
    @Ours
    MeterRegistry meters;

    @Context
    ResourceInfo resource;

    private final Map<Method, String> routes = new ConcurrentHashMap<>();
    private final Map<Key, Timer> timers = new ConcurrentHashMap<>();

    private record Key(String method, String route, int status) {}

    @Override
    public void filter(ContainerRequestContext request) {
        request.setProperty(BEGAN, System.nanoTime());
    }

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        if (request.getProperty(BEGAN) instanceof Long began) {
            String method = METHODS.contains(request.getMethod()) ? request.getMethod() : "_OTHER";
            timers.computeIfAbsent(new Key(method, route(), response.getStatus()), this::timer)
                    .record(System.nanoTime() - began, TimeUnit.NANOSECONDS);
        }
    }

    private Timer timer(Key key) {
        return Timer.builder("http.server.request.duration")
                .description("from the arrival of the body to the answer")
                .tag("http.request.method", key.method())
                .tag("http.route", key.route())
                .tag("http.response.status_code", String.valueOf(key.status()))
                .serviceLevelObjectives(BUCKETS)
                .register(meters);
    }

    /** Returns the address with the names of its parameters; empty if there is nothing at the address. */
    private String route() {
        Method method = resource.getResourceMethod();
        return method == null ? "" : routes.computeIfAbsent(method, RequestMeters::route);
    }

    private static String route(Method method) {
        StringBuilder route = new StringBuilder();
        for (Path path :
                new Path[] {method.getDeclaringClass().getAnnotation(Path.class), method.getAnnotation(Path.class)}) {
            if (path != null && !path.value().equals("/")) {
                route.append(path.value().startsWith("/") ? "" : "/").append(path.value());
            }
        }
        // Without the patterns of parameters.
        return route.toString().replaceAll("\\{\\s*(\\w+)\\s*:[^/]*\\}", "{$1}");
    }
}
