package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.problem.OneLine;
import io.muster.problem.RareLog;
import io.muster.problem.RegistryException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import jakarta.ws.rs.ext.Provider;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns everything that went wrong into a problem (RFC 9457). The caller sees the type; the log has the reason. */
public final class Problems {

    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
    private static final RareLog RARE = RareLog.of(Problems.class);
    /** Where nobody waits for a turn ({@code InTurn} replaces it). */
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    private Problems() {}

    /** Answers for whatever was thrown. */
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

    /** A defect; whoever finds how to cause it can cause it often. */
    private static Response.ResponseBuilder failed(Throwable thrown) {
        String instance = instance();
        StackTraceElement[] trace = thrown.getStackTrace();
        String kind = thrown.getClass().getName() + (trace.length == 0 ? "" : " at " + trace[0]);
        RARE.error(kind, "{} failed", instance, thrown);
        return response(ProblemType.INTERNAL_ERROR, 500, null, List.of(), URI.create(instance));
    }

    private static Response.ResponseBuilder response(
            ProblemType type, int status, String detail, List<Problem.Fault> faults, URI instance) {
        Response.ResponseBuilder response = Response.status(status)
                .type(Problem.MEDIA_TYPE)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .entity(body(type, status, detail, faults, instance.toString()));
        if (status == ProblemType.PAYLOAD_TOO_LARGE.status()) {
            // What was not read of the body would be taken for the next request.
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

    /** For what nothing more specific maps. */
    @Provider
    public static class Any implements ExceptionMapper<Throwable> {
        @Override
        public Response toResponse(Throwable thrown) {
            return of(thrown);
        }
    }

    /** For JAX-RS' own, which some servers map before they look for a mapper of everything. */
    @Provider
    public static class Web implements ExceptionMapper<WebApplicationException> {
        @Override
        public Response toResponse(WebApplicationException thrown) {
            return of(thrown);
        }
    }

    /** For the registry's no. */
    @Provider
    public static class No implements ExceptionMapper<RegistryException> {
        @Override
        public Response toResponse(RegistryException thrown) {
            return of(thrown);
        }
    }
}
