// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.job.Jobs;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.operator.SerialImport;
import io.muster.problem.RegistryException;
import io.muster.search.Expression;
import io.muster.search.ListSearch;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import io.muster.verification.list.Lot;
import io.muster.verification.list.SerialList;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** Expected and blocked serials, for operators. */
@Path("/api/v1/fleets/{fleet}/serials")
@ApplicationScoped
public class SerialsResource {

    private static final String SERIAL = "serial";
    private static final String SERIALS = "serials";
    private static final Semaphore IMPORTS = new Semaphore(8);
    private static final Duration COME_BACK = Duration.ofSeconds(30);

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    SerialImport serialImport;

    @Inject
    SerialList serialList;

    @Inject
    ListSearch search;

    @Inject
    Jobs jobs;

    @Inject
    @Ours
    Clock clock;

    @Inject
    Bearer bearer;

    /** Imports expected and blocked serials from CSV or JSON. Good rows are stored, and each bad one is reported. */
    @POST
    public Response add(@PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        // An import holds a thread for as long as its file takes to arrive.
        if (!IMPORTS.tryAcquire()) {
            throw RegistryException.later(ProblemType.SERVICE_UNAVAILABLE, "too many imports at once", COME_BACK);
        }
        try {
            return Replies.json(imported(fleet, request, body, operator)).build();
        } finally {
            IMPORTS.release();
        }
    }

    private SerialImport.Result imported(Fleet fleet, HttpServletRequest request, InputStream body, Operator operator) {
        InputStream in = Bodies.capped(request, body, config.imports().maxSize());
        if (Bodies.is(request, "text/csv")) {
            return serialImport.csv(fleet, in, operator.name());
        }
        if (Bodies.is(request, Bodies.JSON)) {
            return serialImport.json(fleet, in, operator.name());
        }
        throw RegistryException.withDetail(ProblemType.UNSUPPORTED_MEDIA_TYPE, "send text/csv or application/json");
    }

    /**
     * Stores a list of expected and blocked serials, CSV or a JSON object in each line, and has it imported by a job.
     */
    @POST
    @Path("/imports")
    public Response addLater(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        return later(fleetName, request, body, false);
    }

    /** Has a job say what an import would do. */
    @POST
    @Path("/imports/dry-run")
    public Response tryLater(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        return later(fleetName, request, body, true);
    }

    private Response later(String fleetName, HttpServletRequest request, InputStream body, boolean dryRun) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        boolean ndjson = Bodies.is(request, "application/x-ndjson");
        if (!ndjson && !Bodies.is(request, "text/csv")) {
            throw RegistryException.withDetail(
                    ProblemType.UNSUPPORTED_MEDIA_TYPE, "send text/csv or application/x-ndjson");
        }
        InputStream in = Bodies.capped(request, body, config.imports().maxSize());
        if (!IMPORTS.tryAcquire()) {
            throw RegistryException.later(ProblemType.SERVICE_UNAVAILABLE, "too many imports at once", COME_BACK);
        }
        try {
            return JobsResource.accepted(
                    config, jobs.importSerials(fleet, ndjson, in, dryRun, operator.name()), clock.instant());
        } finally {
            IMPORTS.release();
        }
    }

    /**
     * Lists rows in the order of serials. {@code serial}, {@code state}, {@code lot} and {@code filter} filter;
     * {@code limit} and {@code cursor} page. A page may have fewer rows than its limit, or none, and still have a {@code next}.
     */
    @GET
    @QueryNames({"serial", "state", "lot", "filter", "limit", "cursor"})
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        Fleet of = fleets.get(fleetName);
        String fleet = of.name();
        SerialForm form = of.document().serials();
        Query query = Query.of(request);
        Optional<String> serial = query.get(SERIAL, form.syntax(), text -> serial(of, text));
        SerialList.Filter filter = new SerialList.Filter(
                query.get("state", "expected, registered or blocked", SerialList.State::of),
                query.get("lot", "the name of a lot", text -> Optional.of(text).filter(Lot::isName)));
        Optional<String> after = query.cursor(SerialNumber::isValid);
        int limit = query.limit();
        Optional<Expression> expression = DeviceQuery.filter(query, ListSearch.serials(form));
        if (expression.isPresent() && serial.isPresent()) {
            query.fault("give only one of serial and filter");
        }
        query.check();
        if (expression.isPresent()) {
            return Replies.sifted(
                    SERIALS, search.serials(fleet, expression.get(), filter, after, limit), SerialsResource::view);
        }
        SerialList.Page found = serial.map(text -> only(fleet, text, filter))
                .orElseGet(() -> serialList.list(fleet, filter, after, limit));
        Map<String, Object> page = new LinkedHashMap<>();
        page.put(SERIALS, found.entries().stream().map(SerialsResource::view).toList());
        found.next().ifPresent(next -> page.put("next", next));
        return Replies.json(page).build();
    }

    /** Returns the serial as the fleet spells it; empty if it has no such spelling. */
    private static Optional<String> serial(Fleet fleet, String text) {
        return fleet.document().serials().of(text).map(SerialNumber::value);
    }

    private SerialList.Page only(String fleet, String serial, SerialList.Filter filter) {
        return new SerialList.Page(
                serialList.find(fleet, serial).stream()
                        .filter(entry ->
                                filter.state().map(entry.state()::equals).orElse(true))
                        .filter(entry -> filter.lot().isEmpty()
                                || filter.lot().equals(entry.serial().lot()))
                        .toList(),
                Optional.empty());
    }

    /** Returns one serial. */
    @GET
    @Path("/{serial}")
    public Response one(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        return Replies.json(view(found(fleet.name(), serial(fleet, serial)))).build();
    }

    private SerialList.Entry found(String fleet, Optional<String> serial) {
        return serial.flatMap(text -> serialList.find(fleet, text))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such serial"));
    }

    /** Blocks a serial, whether it is in the list or not. The body may have a reason. */
    @POST
    @Path("/{serial}/block")
    public Response block(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        Optional<String> reason = Members.reason(fields);
        fields.check();
        String valid = serial(fleet, serial)
                .orElseThrow(() -> RegistryException.invalid(List.of(new Fault(
                        "#", "the serial must be " + fleet.document().serials().syntax()))));
        serialList.block(fleet.name(), List.of(valid), reason, operator.name());
        return Replies.stored(
                        Map.of(SERIAL, valid, "state", SerialList.State.BLOCKED.word()),
                        () -> view(found(fleet.name(), Optional.of(valid))))
                .build();
    }

    /** Ends a block. Answers with the serial, or without content if its row only blocked and was deleted. */
    @POST
    @Path("/{serial}/unblock")
    public Response unblock(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet of = fleets.get(fleetName);
        String fleet = of.name();
        Fields.of(Bodies.optional(request, body, Bodies.JSON)).check();
        String known = found(fleet, serial(of, serial)).serial().serial();
        serialList.unblock(fleet, List.of(known), operator.name());
        Optional<Optional<SerialList.Entry>> now = Replies.perhaps(() -> serialList.find(fleet, known));
        if (now.isEmpty()) {
            return Replies.json(Map.of(SERIAL, known, Replies.INCOMPLETE, true)).build();
        }
        return now.get().map(entry -> Replies.json(view(entry)).build()).orElseGet(() -> Response.noContent()
                .build());
    }

    /** Blocks several serials, {@code {"serials": ["..."], "reason": "..."}}: all or none. */
    @POST
    @Path("/block")
    public Response blockAll(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet of = fleets.get(fleetName);
        String fleet = of.name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields, of.document().serials());
        Optional<String> reason = Members.reason(fields);
        fields.check();
        return changed(serials, serialList.block(fleet, serials, reason, operator.name()));
    }

    /** Ends several blocks, {@code {"serials": ["..."]}}: all or none. */
    @POST
    @Path("/unblock")
    public Response unblockAll(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet of = fleets.get(fleetName);
        String fleet = of.name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields, of.document().serials());
        fields.check();
        return changed(serials, serialList.unblock(fleet, serials, operator.name()));
    }

    /** Removes a serial from the list if it is not a device. A block of it stays. */
    @DELETE
    @Path("/{serial}")
    public Response remove(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        SerialList.Entry known = found(fleet.name(), serial(fleet, serial));
        if (!known.listed()) {
            throw RegistryException.withDetail(
                    ProblemType.CONFLICT, "the serial is not in the list, it is only blocked; unblock it");
        }
        serialList.remove(fleet.name(), List.of(known.serial().serial()), operator.name());
        return Response.noContent().build();
    }

    /** Removes several serials from the list, {@code {"serials": ["..."]}}: all or none. */
    @POST
    @Path("/remove")
    public Response removeAll(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields, fleet.document().serials());
        fields.check();
        return changed(serials, serialList.remove(fleet.name(), serials, operator.name()));
    }

    private static Response changed(List<String> serials, int changed) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("changed", changed);
        view.put("unchanged", serials.stream().distinct().count() - changed);
        return Replies.json(view).build();
    }

    private static Map<String, Object> view(SerialList.Entry entry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put(SERIAL, entry.serial().serial());
        view.put("state", entry.state().word());
        view.put("listed", entry.listed());
        entry.reason().ifPresent(reason -> view.put(Members.REASON, reason));
        entry.serial().name().ifPresent(name -> view.put("name", name));
        entry.serial().lot().ifPresent(lot -> view.put("lot", lot));
        view.put("tags", entry.serial().tags());
        view.put("attributes", entry.serial().attributes());
        entry.deviceId().ifPresent(id -> view.put("deviceId", id));
        return view;
    }
}
