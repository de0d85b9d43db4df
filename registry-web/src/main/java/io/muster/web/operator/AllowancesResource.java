package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.registration.Allowances;
import io.muster.registration.Allowances.Allowance;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
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
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Permissions for serials to register once more, for operators. */
@Path("/api/v1/fleets/{fleet}/allowances")
@ApplicationScoped
public class AllowancesResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /**
     * Permits {@code {"serials": ["..."], "reason": "...", "notBefore": ..., "notAfter": ...}} to register once more each, all or
     * none; from now on for a day unless the request says otherwise.
     */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields);
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        OrderBody.Window window = OrderBody.window(fields, registry.clock());
        if (window.notAfter().isAfter(window.notBefore().plus(Duration.ofDays(Allowances.MOST_DAYS)))) {
            fields.fault("notAfter", "must be at most " + Allowances.MOST_DAYS + " days after notBefore");
        }
        fields.refuseNulls();
        fields.check();
        List<Allowance> made = registry.allowances()
                .create(
                        fleet,
                        serials.stream().distinct().map(SerialNumber::new).toList(),
                        window.notBefore(),
                        window.notAfter(),
                        reason.orElseThrow(),
                        operator.name());
        return Replies.json(Map.of("allowances", made.stream().map(this::view).toList()))
                .status(201)
                .build();
    }

    /** Lists them, the oldest first; {@code serial} filters, {@code limit} and {@code cursor} page. */
    @GET
    public Response list(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @Context UriInfo uri) {
        bearer.operator(request, Right.DEVICES_READ);
        String fleet = registry.fleets().get(fleetName).name();
        Query query = new Query(uri, Set.of("serial", "limit", "cursor"));
        Optional<String> serial = query.get(
                "serial", SerialNumber.SYNTAX, text -> Optional.of(text).filter(SerialNumber::isValid));
        Optional<String> after = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        List<Allowance> allowances = registry.allowances().list(fleet, serial, after, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("allowances", allowances.stream().map(this::view).toList());
        if (allowances.size() == limit) {
            page.put("next", allowances.get(limit - 1).id());
        }
        return Replies.json(page).build();
    }

    /** Takes a permission back, and with it what was given by it and not used yet. */
    @DELETE
    @Path("/{id}")
    public Response revoke(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such allowance");
        }
        registry.allowances().revoke(fleet, id, operator.name());
        return Response.noContent().build();
    }

    private Map<String, Object> view(Allowance allowance) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", allowance.id());
        view.put("serial", allowance.serial());
        view.put("state", allowance.state(registry.clock().instant()).name().toLowerCase(Locale.ROOT));
        view.put(Members.REASON, allowance.reason());
        view.put("operator", allowance.operator());
        view.put("notBefore", allowance.notBefore());
        view.put("notAfter", allowance.notAfter());
        allowance.givenKey().ifPresent(key -> view.put("key", key));
        allowance.givenAt().ifPresent(at -> view.put("givenAt", at));
        allowance.spentAt().ifPresent(at -> view.put("spentAt", at));
        allowance.revokedAt().ifPresent(at -> view.put("revokedAt", at));
        return view;
    }
}
