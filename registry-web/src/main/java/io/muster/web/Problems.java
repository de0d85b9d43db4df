// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.log.OneLine;
import io.muster.log.RareLog;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.plugin.OutOfMemory;
import io.muster.problem.RegistryException;
import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import jakarta.ws.rs.ext.Provider;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns every failure into a problem (RFC 9457). The caller sees the type; the log has the reason. */
public final class Problems {

    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
    private static final RareLog RARE = RareLog.of(Problems.class);
    /** The default wait, which {@code WithRetrySlot} replaces for clients that wait for a turn. */
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    private Problems() {}

    /** Makes the reply for any exception. */
    static Response of(Throwable thrown) {
        if (thrown instanceof RegistryException e) {
            Response.ResponseBuilder response =
                    response(e.type(), e.type().status(), e.detail().orElse(null), e.faults(), e.getMessage());
            e.retryAfter().ifPresent(after -> retryAfter(response, after));
            return response.build();
        }
        if (thrown instanceof DatabaseUnavailableException) {
            Response.ResponseBuilder response = response(
                    ProblemType.SERVICE_UNAVAILABLE,
                    ProblemType.SERVICE_UNAVAILABLE.status(),
                    null,
                    List.of(),
                    thrown.getMessage());
            retryAfter(response, RETRY_AFTER);
            return response.build();
        }
        if (thrown instanceof WebApplicationException e && e.getResponse().getStatus() < 500) {
            int status = e.getResponse().getStatus();
            if (status < 400) {
                return e.getResponse();
            }
            Response.ResponseBuilder response = response(type(status), status, null, List.of(), "HTTP " + status);
            String allow = e.getResponse().getHeaderString(HttpHeaders.ALLOW);
            if (allow != null) {
                response.header(HttpHeaders.ALLOW, allow);
            }
            return response.build();
        }
        return failed(thrown).build();
    }

    /** Answers with another status than the type's own. */
    public static Response.ResponseBuilder response(
            ProblemType type, int status, String detail, List<Problem.Fault> faults, String reason) {
        String instance = instance();
        if (status == 500) {
            RARE.error(reason, "{}: {}", instance, reason);
        } else if (LOG.isDebugEnabled()) {
            LOG.debug("{} {}: {}", status, instance, OneLine.of(reason));
        }
        return response(type, status, detail, faults, URI.create(instance));
    }

    /**
     * Logs a failure that reached no resource. Not every server logs it.
     *
     * @param thrown the exception, or null
     */
    static void containerFailed(String instance, Object thrown) {
        if (thrown instanceof Throwable cause) {
            RARE.error("container " + kind(cause), "{} failed before a resource or after it", instance, cause);
        } else {
            RARE.error(
                    "container", "{} failed before a resource or after it, and the server does not say why", instance);
        }
    }

    private static String kind(Throwable thrown) {
        StackTraceElement[] trace = thrown.getStackTrace();
        return thrown.getClass().getName() + (trace.length == 0 ? "" : " at " + trace[0]);
    }

    /** Logs a defect, rarely: anybody who finds how to cause it can cause it often. */
    private static Response.ResponseBuilder failed(Throwable thrown) {
        OutOfMemory.report(thrown);
        String instance = instance();
        RARE.error(kind(thrown), "{} failed", instance, thrown);
        return response(ProblemType.INTERNAL_ERROR, 500, null, List.of(), URI.create(instance));
    }

    private static Response.ResponseBuilder response(
            ProblemType type, int status, String detail, List<Problem.Fault> faults, URI instance) {
        Response.ResponseBuilder response = Response.status(status)
                .type(Problem.MEDIA_TYPE)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .entity(body(type, status, detail, faults, instance.toString()));
        if (status == ProblemType.PAYLOAD_TOO_LARGE.status()) {
            // Close the connection: unread bytes of the body would be taken for the next request.
            response.header("Connection", "close");
        }
        return response;
    }

    static byte[] body(ProblemType type, int status, String detail, List<Problem.Fault> faults, String instance) {
        return Json.bytes(
                new Problem(type.uri(), type.title(), status, detail, instance, faults.isEmpty() ? null : faults));
    }

    private static void retryAfter(Response.ResponseBuilder response, Duration after) {
        response.header(HttpHeaders.RETRY_AFTER, Math.max(1, (after.toMillis() + 999) / 1000));
    }

    static String instance() {
        return "urn:uuid:" + UUID.randomUUID();
    }

    static ProblemType type(int status) {
        return switch (status) {
            case 401 -> ProblemType.UNAUTHORIZED;
            case 403 -> ProblemType.FORBIDDEN;
            case 404 -> ProblemType.NOT_FOUND;
            case 405 -> ProblemType.METHOD_NOT_ALLOWED;
            case 406 -> ProblemType.NOT_ACCEPTABLE;
            case 409 -> ProblemType.CONFLICT;
            case 412 -> ProblemType.PRECONDITION_FAILED;
            case 413 -> ProblemType.PAYLOAD_TOO_LARGE;
            case 415 -> ProblemType.UNSUPPORTED_MEDIA_TYPE;
            case 429 -> ProblemType.TOO_MANY_REQUESTS;
            case 503 -> ProblemType.SERVICE_UNAVAILABLE;
            default -> status < 500 ? ProblemType.INVALID_REQUEST : ProblemType.INTERNAL_ERROR;
        };
    }

    /** Maps exceptions without a more specific mapper. */
    @Provider
    public static class Any implements ExceptionMapper<Throwable> {
        @Override
        public Response toResponse(Throwable thrown) {
            return of(thrown);
        }
    }

    /** Maps the exceptions of JAX-RS, which some servers map before they look for a general mapper. */
    @Provider
    public static class Web implements ExceptionMapper<WebApplicationException> {
        @Override
        public Response toResponse(WebApplicationException thrown) {
            return of(thrown);
        }
    }

    /** Maps the registry's refusals. */
    @Provider
    public static class No implements ExceptionMapper<RegistryException> {
        @Override
        public Response toResponse(RegistryException thrown) {
            return of(thrown);
        }
    }

    /**
     * Gives a problem to an error that JAX-RS answers itself, such as a header that it cannot read. JAX-RS would ask the
     * container for its error page, which some containers do not run once a request waits for its body. It runs before
     * the filters that change a problem.
     */
    @Provider
    @Priority(Priorities.USER + 1)
    public static class Bodiless implements ContainerResponseFilter {
        @Override
        public void filter(ContainerRequestContext request, ContainerResponseContext response) {
            int status = response.getStatus();
            if (status < 400 || response.hasEntity()) {
                return;
            }
            response.setEntity(
                    body(type(status), status, null, List.of(), instance()),
                    null,
                    MediaType.valueOf(Problem.MEDIA_TYPE));
            response.getHeaders().putSingle(HttpHeaders.CACHE_CONTROL, "no-store");
        }
    }
}
