package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Order;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.verification.Lot;
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
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The credentials of a fleet or a lot, revoked or renewed as a whole, for operators. */
@Path("/api/v1/fleets/{fleet}")
@ApplicationScoped
public class CredentialOrdersResource {

    private static final Duration DAY = Duration.ofDays(1);

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /**
     * When devices are to renew.
     *
     * @param notBefore from
     * @param notAfter until
     */
    record Window(Instant notBefore, Instant notAfter) {}

    /** Reads the window of a rotation: from now on for a day unless the request says otherwise. */
    static Window window(Fields fields, Clock clock) {
        Instant notBefore = fields.time("notBefore").orElse(clock.instant());
        Instant notAfter = fields.time("notAfter").orElse(notBefore.plus(DAY));
        fields.order("notBefore", Optional.of(notBefore), "notAfter", Optional.of(notAfter));
        return new Window(notBefore, notAfter);
    }

    /**
     * Revokes every credential of a lot, {@code {"lot": "...", "reason": "..."}}, or of the whole fleet, {@code {"all": true,
     * "reason": "..."}}, that exists now. On this node at once, on others within two seconds.
     */
    @POST
    @Path("/revocations")
    public Response revoke(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Scope scope = scope(fleet, fields);
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        fields.check();
        return Replies.json(view(registry.credentialOrders().revoke(scope, reason.orElseThrow(), operator.name())))
                .status(201)
                .build();
    }

    /**
     * Has every credential of a lot or of the whole fleet that exists now renewed within a window, each at a time of its own; a
     * device learns its time from the reply to its token request.
     */
    @POST
    @Path("/rotations")
    public Response rotate(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Scope scope = scope(fleet, fields);
        Window window = window(fields, registry.clock());
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        fields.check();
        return Replies.json(view(registry.credentialOrders()
                        .rotate(scope, window.notBefore(), window.notAfter(), reason.orElseThrow(), operator.name())))
                .status(201)
                .build();
    }

    private static Scope scope(String fleet, Fields fields) {
        Optional<String> lot = fields.text("lot", "the name of a lot", Lot::isName);
        boolean all = fields.flag("all").orElse(false);
        if (lot.isPresent() == all) {
            fields.fault("lot", "name a lot, or say \"all\": true for the whole fleet");
        }
        return new Scope(fleet, lot, Optional.empty());
    }

    /** Lists the revocations of the fleet, the oldest first. */
    @GET
    @Path("/revocations")
    public Response revocations(
            @PathParam("fleet") String fleet, @Context HttpServletRequest request, @Context UriInfo uri) {
        return list(fleet, CredentialOrders.Kind.REVOKE, "revocations", request, uri);
    }

    /** Lists the rotations of the fleet, the oldest first. */
    @GET
    @Path("/rotations")
    public Response rotations(
            @PathParam("fleet") String fleet, @Context HttpServletRequest request, @Context UriInfo uri) {
        return list(fleet, CredentialOrders.Kind.ROTATE, "rotations", request, uri);
    }

    private Response list(
            String fleetName, CredentialOrders.Kind kind, String member, HttpServletRequest request, UriInfo uri) {
        bearer.operator(request, Right.DEVICES_READ);
        String fleet = registry.fleets().get(fleetName).name();
        new Query(uri, Set.of()).check();
        List<Map<String, Object>> orders = registry.credentialOrders().of(fleet).all().stream()
                .filter(order -> order.kind() == kind)
                .map(CredentialOrdersResource::view)
                .toList();
        return Replies.json(Map.of(member, orders)).build();
    }

    /** Calls a rotation off; devices that renewed already stay so. */
    @DELETE
    @Path("/rotations/{id}")
    public Response callOff(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        if (!DeviceId.isValid(id) || !registry.credentialOrders().callOff(fleet, id, operator.name())) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such rotation that is still on");
        }
        return Response.noContent().build();
    }

    private static Map<String, Object> view(Order order) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", order.id());
        order.scope().lot().ifPresent(lot -> view.put("lot", lot));
        order.scope().device().ifPresent(device -> view.put("deviceId", device.value()));
        view.put("issuedAt", order.issuedAt());
        if (order.kind() == CredentialOrders.Kind.ROTATE) {
            view.put("notBefore", order.notBefore());
            view.put("notAfter", order.notAfter());
        }
        view.put(Members.REASON, order.reason());
        view.put("operator", order.operator());
        order.endedAt().ifPresent(at -> view.put("calledOffAt", at));
        return view;
    }
}
