package io.muster.web.operator;

import io.muster.Registry;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
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
import java.util.Optional;

/** The credentials of a lot or a fleet, revoked as a whole, for operators. */
@Path("/api/v1/fleets/{fleet}/revocations")
@ApplicationScoped
public class RevocationsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /**
     * Revokes every credential of a lot, {@code {"lot": "...", "reason": "..."}}, or of the whole fleet, {@code {"all": true,
     * "reason": "..."}}, that exists now. On this node at once, on others within two seconds.
     */
    @POST
    public Response revoke(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        String fleet = registry.fleets().get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Scope scope = OrderBody.scope(registry, fleet, fields);
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        fields.refuseNulls();
        fields.check();
        return OrderBody.ordered(
                registry, registry.credentialOrders().revoke(scope, reason.orElseThrow(), operator.name()));
    }

    /** Lists them, the oldest first. */
    @GET
    public Response list(@PathParam("fleet") String fleet, @Context HttpServletRequest request, @Context UriInfo uri) {
        bearer.operator(request, Right.DEVICES_READ);
        return OrderBody.list(
                registry, registry.fleets().get(fleet).name(), CredentialOrders.Kind.REVOKE, "revocations", uri);
    }
}
