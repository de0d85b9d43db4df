// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.web.Bodies;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An error of the OAuth protocol itself (RFC 6749 section 5.2). The description is for the person who programs the
 * device.
 */
final class OAuthException extends Exception {

    private static final long serialVersionUID = 1;

    private final int status;
    private final String error;

    private OAuthException(int status, String error, String description) {
        super(description, null, false, false);
        this.status = status;
        this.error = error;
    }

    /** The request has a fault. */
    static OAuthException of(String error, String description) {
        return new OAuthException(400, error, description);
    }

    static OAuthException invalidRequest(String description) {
        return of("invalid_request", description);
    }

    /**
     * The body cannot be read as a form. Libraries of OAuth show only the members of its own errors. So a problem would
     * not help with the most frequent mistake, which is JSON.
     */
    static OAuthException ofBody(RegistryException fault) {
        String description = fault.type() == ProblemType.UNSUPPORTED_MEDIA_TYPE
                ? "send application/x-www-form-urlencoded"
                : fault.type().title();
        return new OAuthException(fault.type().status(), "invalid_request", description);
    }

    /** The device did not authenticate. */
    static OAuthException invalidClient(String description) {
        return new OAuthException(401, "invalid_client", description);
    }

    Response response() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("error", error);
        body.put("error_description", getMessage());
        Response.ResponseBuilder response = answer(status, body);
        if (status == 401) {
            response.header(HttpHeaders.WWW_AUTHENTICATE, "Basic realm=\"muster\", charset=\"UTF-8\"");
        }
        if (status == ProblemType.PAYLOAD_TOO_LARGE.status()) {
            // Close the connection: unread bytes of the body would be taken for the next request.
            response.header("Connection", "close");
        }
        return response.build();
    }

    /** Begins an answer that no cache keeps (RFC 6749 section 5.1). */
    static Response.ResponseBuilder answer(int status, Map<String, Object> body) {
        return Response.status(status)
                .type(Bodies.JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Pragma", "no-cache")
                .entity(Json.bytes(body));
    }
}
