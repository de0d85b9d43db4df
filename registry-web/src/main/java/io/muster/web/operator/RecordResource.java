// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.json.Fields;
import io.muster.json.Json;
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
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The sealed record for operators: seals, exports that can be verified without the registry, and receipts. */
@Path("/api/v1/audit")
@ApplicationScoped
public class RecordResource {

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
        // Without its last line, nobody takes an export for the whole.
        return Download.of(Download.NDJSON, "record.ndjson", new Pieces(from, to), new byte[0]);
    }

    /** The lines of an export: each seal, its records page by page, and the end. */
    private final class Pieces implements Supplier<Optional<byte[]>> {

        private final long to;
        private long number;
        private Optional<Seal> seal = Optional.empty();
        private int place;
        private long last;
        private boolean ended;

        Pieces(long from, long to) {
            this.number = from;
            this.to = to;
        }

        @Override
        public Optional<byte[]> get() {
            if (ended) {
                return Optional.empty();
            }
            if (seal.isPresent() && place < seal.get().records()) {
                List<Map<String, Object>> page = records.page(seal.get(), place);
                place += SealedRecords.PAGE;
                return Optional.of(lines(page));
            }
            seal = records.next(number).filter(next -> next.number() <= to);
            place = 0;
            if (seal.isEmpty()) {
                ended = true;
                return Optional.of(lines(List.of(Map.of("end", last))));
            }
            Map<String, Object> line = records.line(seal.get());
            last = seal.get().number();
            number = last + 1;
            return Optional.of(lines(List.of(line)));
        }
    }

    private static byte[] lines(List<Map<String, Object>> lines) {
        return lines.stream()
                .map(line -> Json.text(line) + "\n")
                .collect(Collectors.joining())
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Makes a key that signs from the next seal on. The reason goes into the record. */
    @POST
    @Path("/keys/replace")
    public Response replaceKey(@Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SIGNING_WRITE);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> reason = Members.reason(fields);
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
