package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Scope;
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
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;
import java.util.Optional;

/** The credentials of a lot or a fleet, renewed as a whole, for operators. */
@Path("/api/v1/fleets/{fleet}/rotations")
@ApplicationScoped
public class RotationsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /**
     * Has every credential of a lot or of the whole fleet that exists now renewed within a window, each at a time of its own; a
     * device learns its time from the reply to its token request.
     */
    @POST
    public Response rotate(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Scope scope = OrderBody.scope(registry, fleet, fields);
        OrderBody.Window window = OrderBody.window(fields, registry.clock());
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        fields.refuseNulls();
        fields.check();
        return OrderBody.ordered(
                registry,
                registry.credentialOrders()
                        .rotate(scope, window.notBefore(), window.notAfter(), reason.orElseThrow(), operator.name()));
    }

    /** Lists them, the oldest first. */
    @GET
    public Response list(@PathParam("fleet") String fleet, @Context HttpServletRequest request, @Context UriInfo uri) {
        bearer.operator(request, Right.DEVICES_READ);
        return OrderBody.list(
                registry, registry.fleets().get(fleet).name(), CredentialOrders.Kind.ROTATE, "rotations", uri);
    }

    /** Calls a rotation off; devices that renewed already stay so. */
    @DELETE
    @Path("/{id}")
    public Response callOff(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        if (!DeviceId.isValid(id) || !registry.credentialOrders().callOff(fleet, id, operator.name())) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such rotation that is still on");
        }
        return Response.noContent().build();
    }
}
