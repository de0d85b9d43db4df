// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.device.DeviceStore;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
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
import java.util.Optional;

/** Rotations of all credentials of a lot or a fleet, for operators. */
@Path("/api/v1/fleets/{fleet}/rotations")
@ApplicationScoped
public class RotationsResource {

    @Inject
    DeviceStore devices;

    @Inject
    @Ours
    Clock clock;

    @Inject
    Fleets fleets;

    @Inject
    CredentialOrders credentialOrders;

    @Inject
    Bearer bearer;

    /**
     * Orders that every existing credential of a lot or of the whole fleet be renewed within a window, each at its own
     * time. A device learns its time from the reply to its token request.
     */
    @POST
    public Response rotate(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Scope scope = OrderBody.scope(fleet, fields);
        OrderBody.Window window = OrderBody.window(fields, clock);
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        fields.refuseNulls();
        Optional<DeviceStore.Count> count = OrderBody.count(devices, scope, fields);
        fields.check();
        return OrderBody.ordered(
                credentialOrders.rotate(
                        scope, window.notBefore(), window.notAfter(), reason.orElseThrow(), operator.name()),
                count);
    }

    /** Lists rotations, the oldest first; {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@PathParam("fleet") String fleet, @Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ, fleet);
        return OrderBody.list(
                credentialOrders, fleets.get(fleet).name(), CredentialOrders.Kind.ROTATE, "rotations", request);
    }

    /** Cancels a rotation. Devices that have renewed already keep their new credentials. */
    @DELETE
    @Path("/{id}")
    public Response callOff(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        if (!DeviceId.isValid(id) || !credentialOrders.callOff(fleet, id, operator.name())) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such rotation that is still on");
        }
        return Response.noContent().build();
    }
}
