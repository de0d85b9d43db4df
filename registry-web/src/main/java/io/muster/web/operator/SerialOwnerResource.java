// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.device.DeviceStore;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.ownership.Owner;
import io.muster.ownership.Ownership;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.user.IdentityProviders;
import io.muster.verification.list.SerialList;
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

/** The owner of a serial, whether its device has registered or not, for operators. */
@Path("/api/v1/fleets/{fleet}/serials/{serial}/owner")
@ApplicationScoped
public class SerialOwnerResource {

    @Inject
    Fleets fleets;

    @Inject
    SerialList serials;

    @Inject
    DeviceStore devices;

    @Inject
    Ownership ownership;

    @Inject
    IdentityProviders users;

    @Inject
    Bearer bearer;

    /** Returns the owner. */
    @GET
    public Response owner(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial) {
        bearer.operator(request, Right.DEVICES_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        String known = known(fleet, serial);
        return ownership
                .find(fleet.name(), known)
                .map(owned -> Replies.json(OwnerMembers.view(fleet.name(), known, owned))
                        .build())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "nobody owns it"));
    }

    /** Makes a user, or a group with that user, the owner, in place of any owner before. */
    @PUT
    public Response assign(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Owner owner = OwnerMembers.read(Bodies.read(request, body, Bodies.JSON), users);
        String known = known(fleet, serial);
        Ownership.Owned owned = ownership.assign(fleet, known, owner, operator.name());
        return Replies.json(OwnerMembers.view(fleet.name(), known, owned)).build();
    }

    /** Makes it nobody's. */
    @DELETE
    public Response release(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("serial") String serial) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        ownership.release(fleet, known(fleet, serial), operator.name());
        return Response.noContent().build();
    }

    /** Returns the serial as the fleet spells it, if it is in the list, blocked, a device, or somebody's. */
    private String known(Fleet fleet, String text) {
        return fleet.document()
                .serials()
                .of(text)
                .map(SerialNumber::value)
                .filter(serial -> serials.find(fleet.name(), serial).isPresent()
                        || devices.find(fleet.name(), serial).isPresent()
                        || ownership.find(fleet.name(), serial).isPresent())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such serial"));
    }
}
