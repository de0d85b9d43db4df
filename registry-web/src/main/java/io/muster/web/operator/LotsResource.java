// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.verification.list.Lot;
import io.muster.verification.list.Lots;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Lots of expected serials, for operators. The name of a lot may have slashes in it. */
@Path("/api/v1/fleets/{fleet}/lots")
@ApplicationScoped
public class LotsResource {

    private static final String EXPECTED = "expected";
    private static final String NOT_BEFORE = "notBefore";
    private static final String NOT_AFTER = "notAfter";
    private static final String PAUSED = "paused";

    @Inject
    Fleets fleets;

    @Inject
    Lots lots;

    @Inject
    Bearer bearer;

    /** Lists lots by name; {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        Query query = Query.of(request);
        Optional<String> after = query.cursor(Lot::isName);
        int limit = query.limit();
        query.check();
        return Replies.page("lots", lots.list(fleet, after, limit), limit, LotsResource::view, entry -> entry.lot()
                .name());
    }

    /** Returns one lot, with its progress. */
    @GET
    @Path("/{lot: .+}")
    public Response one(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("lot") String name) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        Lots.Entry entry = Optional.of(name)
                .filter(Lot::isName)
                .flatMap(text -> lots.find(fleet, text))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such lot"));
        return Replies.json(withProgress(fleet, entry)).build();
    }

    /** Writes a whole lot; members left out set no limit. */
    @PUT
    @Path("/{lot: .+}")
    public Response put(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("lot") String name,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.LOTS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Lot lot = new Lot(
                name,
                fields.number(EXPECTED, 0, Integer.MAX_VALUE).map(Long::intValue),
                fields.time(NOT_BEFORE),
                fields.time(NOT_AFTER),
                fields.flag(PAUSED).orElse(false));
        fields.order(NOT_BEFORE, lot.notBefore(), NOT_AFTER, lot.notAfter());
        fields.check();
        if (!Lot.isName(name)) {
            throw RegistryException.invalid(List.of(new Fault(
                    "#",
                    "the name of a lot must have 1 to " + Lot.MAX_NAME + " characters and no control characters")));
        }
        Lots.Entry entry = lots.put(fleet, lot, operator.name());
        return Replies.stored(view(entry), () -> withProgress(fleet, entry)).build();
    }

    private Map<String, Object> withProgress(String fleet, Lots.Entry entry) {
        Lots.Progress progress = lots.progress(fleet, entry.lot().name());
        Map<String, Object> view = view(entry);
        view.put("registered", progress.registered());
        view.put("blocked", progress.blocked());
        if (progress.isPart()) {
            view.put("counted", progress.counted());
        }
        return view;
    }

    static Map<String, Object> view(Lots.Entry entry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("lot", entry.lot().name());
        entry.lot().expected().ifPresent(number -> view.put(EXPECTED, number));
        entry.lot().notBefore().map(Instant::toString).ifPresent(at -> view.put(NOT_BEFORE, at));
        entry.lot().notAfter().map(Instant::toString).ifPresent(at -> view.put(NOT_AFTER, at));
        view.put(PAUSED, entry.lot().paused());
        view.put("imported", entry.imported());
        return view;
    }
}
