package io.muster.web.operator;

import io.muster.json.Json;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** Replies of the operator API. No cache keeps one: some show a secret, and all are for one operator at one time. */
final class Replies {

    private Replies() {}

    /** Begins a reply with this body, 200 unless told otherwise. */
    static Response.ResponseBuilder json(Object body) {
        return Response.ok(Json.bytes(body), MediaType.APPLICATION_JSON).header(HttpHeaders.CACHE_CONTROL, "no-store");
    }
}
