// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.device.DeviceStore;
import io.muster.fleet.Fleets;
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
import java.io.InputStream;
import java.util.Optional;

/** Revocations of all credentials of a lot or a fleet, for operators. */
@Path("/api/v1/fleets/{fleet}/revocations")
@ApplicationScoped
public class RevocationsResource {

    @Inject
    DeviceStore devices;

    @Inject
    Fleets fleets;

    @Inject
    CredentialOrders credentialOrders;

    @Inject
    Bearer bearer;

    /**
     * Revokes every existing credential of a lot, {@code {"lot": "...", "reason": "..."}}, or of the whole fleet,
     * {@code {"all": true, "reason": "..."}}. Effective on this node at once, on others within two seconds.
     */
    @POST
    public Response revoke(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Scope scope = OrderBody.scope(fleet, fields);
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        fields.refuseNulls();
        Optional<DeviceStore.Count> count = OrderBody.count(devices, scope, fields);
        fields.check();
        return OrderBody.ordered(credentialOrders.revoke(scope, reason.orElseThrow(), operator.name()), count);
    }

    /** Lists revocations, the oldest first; {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@PathParam("fleet") String fleet, @Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ, fleet);
        return OrderBody.list(
                credentialOrders, fleets.get(fleet).name(), CredentialOrders.Kind.REVOKE, "revocations", request);
    }
}
