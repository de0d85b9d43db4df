package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleet;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.operator.SerialImport;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.verification.Lot;
import io.muster.verification.SerialList;
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
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Expected and blocked serials, for operators. */
@Path("/api/v1/fleets/{fleet}/serials")
@ApplicationScoped
public class SerialsResource {

    private static final String SERIALS = "serials";

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Imports expected and blocked serials from CSV or JSON; good rows are kept, each bad one is named. */
    @POST
    public Response add(@PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE);
        Fleet fleet = registry.fleets().get(fleetName);
        InputStream in =
                Bodies.capped(request, body, registry.config().imports().maxSize());
        SerialImport.Result result;
        if (Bodies.is(request, "text/csv")) {
            result = registry.serialImport().csv(fleet, in, operator.name());
        } else if (Bodies.is(request, Bodies.JSON)) {
            result = registry.serialImport().json(fleet, in, operator.name());
        } else {
            throw RegistryException.withDetail(ProblemType.UNSUPPORTED_MEDIA_TYPE, "send text/csv or application/json");
        }
        return Replies.json(result).build();
    }

    /**
     * Lists in the order of serials. {@code serial}, {@code state} and {@code lot} filter; {@code limit} and {@code cursor} page. A
     * page may have fewer rows than its limit, or none, and still a {@code next}.
     */
    @GET
    public Response list(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @Context UriInfo uri) {
        bearer.operator(request, Right.SERIALS_READ);
        String fleet = registry.fleets().get(fleetName).name();
        Query query = new Query(uri, Set.of("serial", "state", "lot", "limit", "cursor"));
        Optional<String> serial = query.get("serial", SerialNumber.SYNTAX, SerialsResource::serial);
        SerialList.Filter filter = new SerialList.Filter(
                query.get("state", "expected, registered or blocked", SerialList.State::of),
                query.get("lot", "the name of a lot", text -> Optional.of(text).filter(Lot::isName)));
        Optional<String> after = query.cursor(SerialNumber::isValid);
        int limit = query.limit();
        query.check();
        SerialList.Page found = serial.map(text -> only(fleet, text, filter))
                .orElseGet(() -> registry.serialList().list(fleet, filter, after, limit));
        Map<String, Object> page = new LinkedHashMap<>();
        page.put(SERIALS, found.entries().stream().map(SerialsResource::view).toList());
        found.next().ifPresent(next -> page.put("next", next));
        return Replies.json(page).build();
    }

    private static Optional<String> serial(String text) {
        return Optional.of(text).filter(SerialNumber::isValid);
    }

    private SerialList.Page only(String fleet, String serial, SerialList.Filter filter) {
        return new SerialList.Page(
                registry.serialList().find(fleet, serial).stream()
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
        bearer.operator(request, Right.SERIALS_READ);
        return Replies.json(view(found(registry.fleets().get(fleetName).name(), serial)))
                .build();
    }

    private SerialList.Entry found(String fleet, String serial) {
        return serial(serial)
                .flatMap(text -> registry.serialList().find(fleet, text))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such serial"));
    }

    /** Keeps a serial from registering, whether it is in the list or not; the body may say why. */
    @POST
    @Path("/{serial}/block")
    public Response block(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        Optional<String> reason = Members.reason(fields);
        fields.check();
        String valid = serial(serial)
                .orElseThrow(() -> RegistryException.invalid(
                        List.of(new Fault("#", "the serial must be " + SerialNumber.SYNTAX))));
        registry.serialList().block(fleet, List.of(valid), reason, operator.name());
        return Replies.json(view(found(fleet, valid))).build();
    }

    /** Ends a block; answers with the serial, or with nothing if its row only blocked and is gone. */
    @POST
    @Path("/{serial}/unblock")
    public Response unblock(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields.of(Bodies.optional(request, body, Bodies.JSON)).check();
        found(fleet, serial);
        registry.serialList().unblock(fleet, List.of(serial), operator.name());
        return registry.serialList()
                .find(fleet, serial)
                .map(entry -> Replies.json(view(entry)).build())
                .orElseGet(() -> Response.noContent().build());
    }

    /** Blocks several at once, {@code {"serials": ["..."], "reason": "..."}}: all or none. */
    @POST
    @Path("/block")
    public Response blockAll(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields);
        Optional<String> reason = Members.reason(fields);
        fields.check();
        return changed(serials, registry.serialList().block(fleet, serials, reason, operator.name()));
    }

    /** Ends several blocks at once, {@code {"serials": ["..."]}}: all or none. */
    @POST
    @Path("/unblock")
    public Response unblockAll(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields);
        fields.check();
        return changed(serials, registry.serialList().unblock(fleet, serials, operator.name()));
    }

    private static Response changed(List<String> serials, int changed) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("changed", changed);
        view.put("unchanged", serials.stream().distinct().count() - changed);
        return Replies.json(view).build();
    }

    private static Map<String, Object> view(SerialList.Entry entry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("serial", entry.serial().serial());
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
