// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.log.RareLog;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.ownership.LabelCodes;
import io.muster.problem.RegistryException;
import io.muster.verification.list.Lot;
import io.muster.verification.list.Lots;
import io.muster.verification.list.SerialList;
import io.muster.web.Accepted;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.label.Label;
import io.muster.web.label.LabelList;
import io.muster.web.label.LabelSheets;
import io.muster.web.label.LabelSize;
import io.muster.web.label.LabelWriter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Makes claim codes for labels. The reply is the only place that has them, since the registry stores hashes. The first
 * user to present the code of a label owns the device. So each new code voids the unused one before.
 */
@Path("/api/v1/fleets/{fleet}/claim-codes")
@ApplicationScoped
public class ClaimCodesResource {

    private static final RareLog LOG = RareLog.of(ClaimCodesResource.class);
    private static final MediaType CSV = new MediaType("text", "csv");
    private static final MediaType HTML = MediaType.TEXT_HTML_TYPE;
    private static final Duration COME_BACK = Duration.ofSeconds(30);

    /** How many lists are written at once. Each holds a thread for as long as its reader takes. */
    private static final Semaphore LISTS = new Semaphore(8);

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    Lots lots;

    @Inject
    SerialList serialList;

    @Inject
    LabelCodes labelCodes;

    @Inject
    Bearer bearer;

    /**
     * Makes a code for each serial of a lot that is not blocked, {@code {"lot": "..."}}, or for each of some serials,
     * {@code {"serials": ["..."]}}. Answers with CSV for a label printer, or with sheets of labels to print; the
     * member {@code label} is their size. The codes of a part of the serials are stored before that part is sent.
     */
    @POST
    public Response several(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @Context HttpHeaders headers,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> lot = fields.text("lot", "the name of a lot", Lot::isName);
        Optional<List<String>> serials =
                Members.someSerials(fields, fleet.document().serials());
        if (fields.faults().isEmpty() && lot.isPresent() == serials.isPresent()) {
            fields.fault("lot", "is required, or \"serials\", and not both");
        }
        Optional<LabelSize> size = fields.meaning("label", "a (63.5 x 38.1 mm) or b (45.7 x 21.2 mm)", LabelSize::of);
        fields.check();
        MediaType type = Accepted.of(headers, CSV, HTML);
        requireCodes(fleet);
        lot.filter(name -> lots.find(fleet.name(), name).isEmpty()).ifPresent(name -> {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such lot");
        });
        if (!LISTS.tryAcquire()) {
            throw RegistryException.later(ProblemType.SERVICE_UNAVAILABLE, "too many lists at once", COME_BACK);
        }
        try {
            labelCodes.ordered(
                    fleet.name(),
                    null,
                    lot.map(name -> "lot " + name)
                            .orElseGet(() -> serials.orElseThrow().size() + " serials"),
                    operator.name());
            Labels labels = new Labels(
                    fleet.name(), serials.map(ClaimCodesResource::portions).orElseGet(() -> ofLot(fleet, lot)));
            labels.begin();
            return answer(type, labels, size.orElse(LabelSize.A));
        } catch (RuntimeException e) {
            LISTS.release();
            throw e;
        }
    }

    private Response answer(MediaType type, Labels labels, LabelSize size) {
        boolean sheets = type.equals(HTML);
        StreamingOutput body = stream -> {
            try {
                Writer out = new BufferedWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8));
                LabelWriter writer = sheets ? new LabelSheets(out, size, config.issuer()) : new LabelList(out);
                write(labels, writer);
            } finally {
                LISTS.release();
            }
        };
        Response.ResponseBuilder answer = secret(body, type.withCharset("utf-8"));
        return (sheets
                        ? answer.header("Content-Security-Policy", LabelSheets.POLICY)
                        : answer.header("Content-Disposition", "attachment; filename=\"claim-codes.csv\""))
                .build();
    }

    private static void write(Labels labels, LabelWriter writer) throws IOException {
        writer.begin();
        try {
            while (labels.hasNext()) {
                writer.label(labels.next());
            }
        } catch (RuntimeException e) {
            // Servers end a reply in the same way after a failure, once it has begun.
            LOG.warn("labels", "A list of claim codes ends before its last serial: {}", e.getMessage());
            writer.breakOff();
            return;
        }
        writer.end();
    }

    /** Begins a reply that no cache keeps and no address passes on. */
    static Response.ResponseBuilder secret(Object entity, MediaType type) {
        return Response.ok(entity, type)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Referrer-Policy", "no-referrer");
    }

    /** Refuses fleets in which a code would claim nothing. */
    static void requireCodes(Fleet fleet) {
        if (!fleet.document().isClaimedByCode()) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT, "devices of this fleet are not claimed by code: see claims in its document");
        }
    }

    private static Iterator<List<String>> portions(List<String> serials) {
        List<List<String>> portions = new ArrayList<>();
        List<String> distinct = serials.stream().distinct().toList();
        for (int from = 0; from < distinct.size(); from += LabelCodes.AT_ONCE) {
            portions.add(distinct.subList(from, Math.min(distinct.size(), from + LabelCodes.AT_ONCE)));
        }
        return portions.iterator();
    }

    /** Returns the serials of a lot that are not blocked, read as they are asked for. */
    private Iterator<List<String>> ofLot(Fleet fleet, Optional<String> lot) {
        SerialList.Filter filter = new SerialList.Filter(Optional.empty(), lot);
        return new Iterator<>() {

            private Optional<String> after = Optional.empty();
            private boolean more = true;

            @Override
            public boolean hasNext() {
                return more;
            }

            @Override
            public List<String> next() {
                if (!more) {
                    throw new NoSuchElementException();
                }
                SerialList.Page page = serialList.list(fleet.name(), filter, after, LabelCodes.AT_ONCE);
                after = page.next();
                more = after.isPresent();
                return page.entries().stream()
                        .filter(entry -> entry.state() != SerialList.State.BLOCKED)
                        .map(entry -> entry.serial().serial())
                        .toList();
            }
        };
    }

    /** Labels whose codes are made when they are asked for, a portion at a time. */
    private final class Labels implements Iterator<Label> {

        private final String fleet;
        private final Iterator<List<String>> serials;
        private Iterator<Label> made = List.<Label>of().iterator();

        Labels(String fleet, Iterator<List<String>> serials) {
            this.fleet = fleet;
            this.serials = serials;
        }

        /** Makes the first codes, so that a failure so far is a problem and not a list that ends too early. */
        void begin() {
            makeMore();
        }

        @Override
        public boolean hasNext() {
            makeMore();
            return made.hasNext();
        }

        private void makeMore() {
            while (!made.hasNext() && serials.hasNext()) {
                made = labelCodes.make(fleet, serials.next()).entrySet().stream()
                        .map(entry -> Label.of(
                                config.issuer(),
                                entry.getKey(),
                                entry.getValue().text()))
                        .iterator();
            }
        }

        @Override
        public Label next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return made.next();
        }
    }
}
