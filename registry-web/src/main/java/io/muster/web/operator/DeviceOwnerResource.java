// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.device.Device;
import io.muster.fleet.Fleets;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.problem.RegistryException;
import io.muster.user.IdentityProviders;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;

/** The owner of a device, for operators. */
@Path("/api/v1/devices/{id}/owner")
@ApplicationScoped
public class DeviceOwnerResource {

    @Inject
    Fleets fleets;

    @Inject
    VisibleDevices devices;

    @Inject
    Ownership ownership;

    @Inject
    IdentityProviders users;

    @Inject
    Bearer bearer;

    /** Returns the owner. */
    @GET
    public Response owner(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_READ);
        Device device = devices.get(operator, Right.DEVICES_READ, id);
        String serial = device.serial().value();
        return ownership
                .find(device.fleet(), serial)
                .map(owned -> Replies.json(OwnerMembers.view(device.fleet(), serial, owned))
                        .build())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "nobody owns it"));
    }

    /** Makes a user, or a group with that user, the owner, in place of any owner before. */
    @PUT
    public Response assign(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        Owner owner = OwnerMembers.read(Bodies.read(request, body, Bodies.JSON), users);
        Device device = devices.get(operator, Right.DEVICES_WRITE, id);
        String serial = device.serial().value();
        Ownership.Owned owned = ownership.assign(fleets.get(device.fleet()), serial, owner, operator.name());
        return Replies.json(OwnerMembers.view(device.fleet(), serial, owned)).build();
    }

    /** Makes it nobody's. */
    @DELETE
    public Response release(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        Device device = devices.get(operator, Right.DEVICES_WRITE, id);
        ownership.release(fleets.get(device.fleet()), device.serial().value(), operator.name());
        return Response.noContent().build();
    }
}
