// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.log.RareLog;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.record.SealKeys;
import io.muster.record.SealedRecords;
import io.muster.seal.Seal;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** The sealed record for operators: seals, exports that can be verified without the registry, and receipts. */
@Path("/api/v1/audit")
@ApplicationScoped
public class RecordResource {

    private static final RareLog LOG = RareLog.of(RecordResource.class);
    private static final MediaType NDJSON = new MediaType("application", "x-ndjson");
    private static final Duration COME_BACK = Duration.ofSeconds(30);
    private static final int MAX_REASON = 200;

    /** How many exports are written at once. Each holds a thread for as long as its reader takes. */
    private static final Semaphore EXPORTS = new Semaphore(4);

    @Inject
    SealedRecords records;

    @Inject
    SealKeys keys;

    @Inject
    Bearer bearer;

    /** Lists seals, the newest first. */
    @GET
    @Path("/seals")
    @QueryNames({"limit", "cursor"})
    public Response seals(@Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ);
        Query query = Query.of(request);
        Optional<String> before = query.cursor(text -> number(text).isPresent());
        int limit = query.limit();
        query.check();
        return Replies.page(
                "seals",
                records.before(before.flatMap(RecordResource::number).orElse(Long.MAX_VALUE), limit),
                limit,
                Seal::members,
                seal -> Long.toString(seal.number()));
    }

    /** Returns a seal. */
    @GET
    @Path("/seals/{number}")
    public Response seal(@PathParam("number") String number, @Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ);
        return Replies.json(number(number)
                        .flatMap(records::seal)
                        .map(Seal::members)
                        .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such seal")))
                .build();
    }

    /** Returns the proof that a record is in a seal. An admission is named by its access key. */
    @GET
    @Path("/records/{id}/receipt")
    public Response receipt(@PathParam("id") String id, @Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ);
        return Replies.json(records.receipt(id)
                        .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such sealed record")))
                .build();
    }

    /**
     * Writes seals with their records, a line each. {@code from} and {@code to} are the numbers of the first and of the
     * last seal. The last line says that nothing was cut off.
     */
    @GET
    @Path("/export")
    @QueryNames({"from", "to"})
    public Response export(@Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ);
        Query query = Query.of(request);
        long from = query.get("from", "the number of a seal", RecordResource::number)
                .orElse(1L);
        long to =
                query.get("to", "the number of a seal", RecordResource::number).orElse(Long.MAX_VALUE);
        query.check();
        if (HttpMethod.HEAD.equals(request.getMethod())) {
            return answer("");
        }
        Optional<Seal> first = records.next(from);
        if (!EXPORTS.tryAcquire()) {
            throw RegistryException.later(ProblemType.SERVICE_UNAVAILABLE, "too many exports at once", COME_BACK);
        }
        StreamingOutput body = stream -> {
            try {
                write(first, to, new BufferedOutputStream(stream));
            } finally {
                EXPORTS.release();
            }
        };
        return answer(body);
    }

    private static Response answer(Object body) {
        return Response.ok(body, NDJSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Content-Disposition", "attachment; filename=\"record.ndjson\"")
                .build();
    }

    private void write(Optional<Seal> first, long to, OutputStream out) throws IOException {
        long last = 0;
        try {
            for (Optional<Seal> seal = first;
                    seal.isPresent() && seal.get().number() <= to;
                    seal = records.next(last + 1)) {
                last = seal.get().number();
                line(records.line(seal.get()), out);
                for (int from = 0; from < seal.get().records(); from += SealedRecords.PAGE) {
                    for (Map<String, Object> line : records.page(seal.get(), from)) {
                        line(line, out);
                    }
                }
            }
        } catch (RuntimeException e) {
            // Without its last line, nobody takes it for the whole.
            LOG.warn("export", "An export of the record ends behind seal {}: {}", last, e.getMessage());
            out.flush();
            return;
        }
        line(Map.of("end", last), out);
        out.flush();
    }

    private static void line(Map<String, Object> line, OutputStream out) throws IOException {
        out.write(Json.bytes(line));
        out.write('\n');
    }

    /** Makes a key that signs from the next seal on. The reason goes into the record. */
    @POST
    @Path("/keys/replace")
    public Response replaceKey(@Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SIGNING_WRITE);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> reason = fields.text(
                        "reason",
                        "a string of at most " + MAX_REASON + " characters and no control characters",
                        text -> text.length() <= MAX_REASON && text.chars().noneMatch(Character::isISOControl))
                .filter(text -> !text.isBlank());
        fields.check();
        keys.replace(reason, operator.name());
        return Replies.stored(
                        Map.of(),
                        () -> Map.of(
                                "keys",
                                keys.list().stream()
                                        .map(SealKeys.Published::jwk)
                                        .toList()))
                .build();
    }

    private static Optional<Long> number(String text) {
        return text.matches("[1-9]\\d{0,17}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
    }
}
