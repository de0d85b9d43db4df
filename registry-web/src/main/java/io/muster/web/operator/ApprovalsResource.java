// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.approval.Approval;
import io.muster.approval.Approvals;
import io.muster.cdi.Ours;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.search.Expression;
import io.muster.search.ListSearch;
import io.muster.search.Sifted;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import io.muster.verification.list.Lot;
import io.muster.verification.policy.Said;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.Precondition;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The candidates of a fleet that wait for an operator, and the decisions about them. */
@Path("/api/v1/fleets/{fleet}/approvals")
@ApplicationScoped
public class ApprovalsResource {

    private static final String SERIAL = "serial";
    private static final String ORIGIN = "origin";
    private static final String LOT = "lot";
    private static final String BINDINGS = "bindings";
    private static final String UNTIL = "notAfter";
    private static final String STATES = "waiting, approved, rejected or used";
    private static final String THUMBPRINT = "the thumbprint of a key (RFC 7638), 43 characters of base64url";
    private static final String ADDRESS = "an address";

    @Inject
    @Ours
    Clock clock;

    @Inject
    Fleets fleets;

    @Inject
    Approvals approvals;

    @Inject
    ListSearch search;

    @Inject
    Bearer bearer;

    /**
     * Lists entries, the oldest first. {@code state} is {@code waiting} by default. {@code origin} or {@code lot}
     * filters, and {@code filter} further. {@code limit} and {@code cursor} page. With {@code serial}, lists all entries of that serial.
     */
    @GET
    @QueryNames({"state", SERIAL, ORIGIN, LOT, "filter", "limit", "cursor"})
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.APPROVALS_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        SerialForm form = fleet.document().serials();
        Query query = Query.of(request);
        Optional<Approval.State> state = query.get("state", STATES, Approval.State::of);
        Optional<String> serial =
                query.get(SERIAL, form.syntax(), text -> form.of(text).map(SerialNumber::value));
        Optional<String> origin =
                query.get(ORIGIN, ADDRESS, text -> Optional.of(text).filter(ApprovalsResource::isAddress));
        Optional<String> lot =
                query.get(LOT, "the name of a lot", text -> Optional.of(text).filter(Lot::isName));
        Optional<String> after = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        if (List.of(serial, origin, lot).stream().filter(Optional::isPresent).count() > 1) {
            query.fault("give only one of serial, origin and lot");
        }
        Optional<Expression> filter = DeviceQuery.filter(query, ListSearch.approvals(form));
        if (filter.isPresent() && serial.isPresent()) {
            query.fault("give only one of serial and filter");
        }
        query.check();
        if (serial.isPresent()) {
            List<Approval> all = approvals.ofSerial(fleet.name(), serial.get()).stream()
                    .filter(one -> state.isEmpty() || state.get() == one.state())
                    .toList();
            return Replies.json(Map.of("approvals", views(fleet, all))).build();
        }
        Approvals.Filter indexed = new Approvals.Filter(state.orElse(Approval.State.WAITING), origin, lot);
        if (filter.isPresent()) {
            Sifted<Approval> found = search.approvals(fleet.name(), filter.get(), indexed, after, limit);
            return Replies.sifted("approvals", views(fleet, found.entries()), found.next(), found.complete());
        }
        List<Approval> some = approvals.list(fleet.name(), indexed, after, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("approvals", views(fleet, some));
        if (some.size() == limit) {
            page.put("next", some.get(limit - 1).id());
        }
        return Replies.json(page).build();
    }

    /** Returns one entry. Its entity tag changes with each decision, and not when the device asks again. */
    @GET
    @Path("/{id}")
    public Response one(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.APPROVALS_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        return answer(fleet, approvals.find(fleet.name(), valid(id)).orElseThrow(ApprovalsResource::noSuchApproval));
    }

    /**
     * Approves serials before they are presented, {@code {"bindings": {"SN-0001": "<thumbprint>"}, "serials": ["..."]}}:
     * with the key that may register each, or for devices without a key. Also approves candidates that wait already.
     */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.APPROVALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        SerialForm form = fleet.document().serials();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Map<SerialNumber, Optional<String>> expected = new LinkedHashMap<>();
        Members.someSerials(fields, form)
                .orElse(List.of())
                .forEach(serial -> expected.put(new SerialNumber(serial), Optional.empty()));
        fields.map(
                        BINDINGS,
                        form.syntax(),
                        text -> form.of(text).isPresent(),
                        THUMBPRINT,
                        ApprovalsResource::thumbprint)
                .orElse(Map.of())
                .forEach((serial, binding) -> {
                    if (expected.put(form.of(serial).orElseThrow(), Optional.of(binding)) != null) {
                        fields.fault(BINDINGS, "the serial " + serial + " is there twice");
                    }
                });
        if (expected.isEmpty() && fields.faults().isEmpty()) {
            fields.fault(BINDINGS, "give bindings, or serials, or both");
        }
        if (expected.size() > Approvals.MOST_AT_ONCE) {
            fields.fault(BINDINGS, "must be at most " + Approvals.MOST_AT_ONCE + " serials together with serials");
        }
        Approvals.Verdict verdict = verdict(fields, true);
        fields.check();
        List<Approvals.Expected> all = new ArrayList<>();
        expected.forEach((serial, binding) -> all.add(new Approvals.Expected(serial, binding)));
        return Replies.json(view(approvals.approve(fleet.name(), all, verdict, operator.name())))
                .build();
    }

    /** Approves an entry; the others of its serial are rejected. */
    @POST
    @Path("/{id}/approve")
    public Response approve(
            @PathParam("fleet") String fleet,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            InputStream body) {
        return decide(fleet, request, id, body, true);
    }

    /** Rejects an entry, or takes an approval back that was not used. */
    @POST
    @Path("/{id}/reject")
    public Response reject(
            @PathParam("fleet") String fleet,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            InputStream body) {
        return decide(fleet, request, id, body, false);
    }

    private Response decide(
            String fleetName, HttpServletRequest request, String id, InputStream body, boolean approve) {
        Operator operator = bearer.operator(request, Right.APPROVALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Precondition precondition = Precondition.of(request);
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        Approvals.Verdict verdict = verdict(fields, approve);
        fields.check();
        return answer(fleet, approvals.decide(fleet.name(), valid(id), verdict, precondition, operator.name()));
    }

    /** Approves several entries, {@code {"ids": ["..."]}}, or every one that waits and matches. */
    @POST
    @Path("/approve")
    public Response approveAll(
            @PathParam("fleet") String fleet, @Context HttpServletRequest request, InputStream body) {
        return decideAll(fleet, request, body, true);
    }

    /** Rejects several entries, {@code {"ids": ["..."]}}, or every one that waits and matches. */
    @POST
    @Path("/reject")
    public Response rejectAll(@PathParam("fleet") String fleet, @Context HttpServletRequest request, InputStream body) {
        return decideAll(fleet, request, body, false);
    }

    private Response decideAll(String fleetName, HttpServletRequest request, InputStream body, boolean approve) {
        Operator operator = bearer.operator(request, Right.APPROVALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<List<String>> some = fields.meanings(
                "ids",
                "an array of 1 to " + Approvals.MOST_AT_ONCE + " ids",
                size -> size >= 1 && size <= Approvals.MOST_AT_ONCE,
                "the id of an approval",
                text -> Optional.of(text).filter(DeviceId::isValid));
        Optional<String> origin = fields.text(ORIGIN, ADDRESS, ApprovalsResource::isAddress);
        Optional<String> lot = fields.text(LOT, "the name of a lot", Lot::isName);
        boolean all = fields.flag("all").orElse(false);
        if (List.of(some.isPresent(), origin.isPresent(), lot.isPresent(), all).stream()
                        .filter(given -> given)
                        .count()
                != 1) {
            fields.fault("ids", "give one of ids, origin and lot, or say \"all\": true for every one that waits");
        }
        Approvals.Verdict verdict = verdict(fields, approve);
        fields.refuseNulls();
        fields.check();
        Approvals.Result result = some.isPresent()
                ? approvals.decide(fleet.name(), some.get(), verdict, operator.name())
                : approvals.decide(
                        fleet.name(),
                        new Approvals.Filter(Approval.State.WAITING, origin, lot),
                        verdict,
                        operator.name());
        return Replies.json(view(result)).build();
    }

    /** Removes an entry, with its decision: a device that asks again waits anew. */
    @DELETE
    @Path("/{id}")
    public Response remove(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operator(request, Right.APPROVALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        approvals.remove(fleet.name(), valid(id), Precondition.of(request), operator.name());
        return Response.noContent().build();
    }

    /** Reads the thumbprint of a candidate's key; empty if there is none. */
    static Optional<String> binding(Fields fields) {
        return fields.meaning("binding", THUMBPRINT, ApprovalsResource::thumbprint);
    }

    private static Optional<String> thumbprint(String text) {
        return Optional.of(text).filter(key -> key.matches("[A-Za-z0-9_-]{43}"));
    }

    private static boolean isAddress(String text) {
        return text.matches("[\\x21-\\x7e]{1,64}");
    }

    private Approvals.Verdict verdict(Fields fields, boolean approve) {
        Instant now = clock.instant();
        Optional<Instant> until = fields.time(UNTIL);
        if (until.filter(end -> !end.isAfter(now)).isPresent()) {
            fields.fault(UNTIL, "must be in the future");
        }
        if (until.filter(end -> end.isAfter(now.plus(Approvals.LONGEST))).isPresent()) {
            fields.fault(UNTIL, "must be at most " + Approvals.LONGEST.toDays() + " days from now");
        }
        return new Approvals.Verdict(approve, until, Members.reason(fields));
    }

    private static String valid(String id) {
        if (!DeviceId.isValid(id)) {
            throw noSuchApproval();
        }
        return id;
    }

    private static RegistryException noSuchApproval() {
        return new RegistryException(ProblemType.NOT_FOUND, "no such approval");
    }

    private Response answer(Fleet fleet, Approval one) {
        return Replies.json(views(fleet, List.of(one)).get(0))
                .tag(new EntityTag(Long.toString(one.version())))
                .build();
    }

    private static Map<String, Object> view(Approvals.Result result) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("changed", result.changed());
        view.put("unchanged", result.unchanged());
        view.put("contested", result.contested());
        view.put("more", result.more());
        return view;
    }

    private List<Map<String, Object>> views(Fleet fleet, List<Approval> some) {
        Optional<Map<String, Approvals.Neighbours>> neighbours =
                Replies.perhaps(() -> approvals.neighbours(fleet.name(), some));
        return some.stream().map(one -> view(one, neighbours)).toList();
    }

    private static Map<String, Object> view(Approval one, Optional<Map<String, Approvals.Neighbours>> all) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", one.id());
        view.put(SERIAL, one.serial());
        one.binding().ifPresent(binding -> view.put("binding", binding));
        view.put("state", one.state().word());
        one.deviceId().ifPresent(id -> view.put("deviceId", id));
        one.origin().ifPresent(origin -> view.put(ORIGIN, origin));
        one.lot().ifPresent(lot -> view.put(LOT, lot));
        one.firstSeen().ifPresent(at -> view.put("firstSeen", at));
        one.lastSeen().ifPresent(at -> view.put("lastSeen", at));
        view.put("tries", one.tries());
        view.put("verifiers", one.said().stream().map(ApprovalsResource::view).toList());
        all.map(neighbours -> neighbours.get(one.id())).ifPresent(near -> {
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("sameSerial", near.sameSerial());
            members.put("sameOrigin", near.sameOrigin());
            members.put("sameLot", near.sameLot());
            view.put("neighbours", members);
        });
        one.decidedAt().ifPresent(at -> view.put("decidedAt", at));
        one.decidedBy().ifPresent(operator -> view.put("operator", operator));
        one.reason().ifPresent(reason -> view.put(Members.REASON, reason));
        one.usedKey().ifPresent(key -> view.put("key", key));
        view.put("expiresAt", one.expiresAt());
        return view;
    }

    private static Map<String, Object> view(Said one) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("verifier", one.verifier());
        view.put("verdict", one.verdict());
        if (!one.reason().isEmpty()) {
            view.put(Members.REASON, one.reason());
        }
        return view;
    }
}
