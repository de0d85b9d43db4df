package io.muster.web.device;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.device.Device;
import io.muster.fleet.Wire;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.registration.Presented;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.CredentialView;
import io.muster.web.DeviceView;
import io.muster.web.Origin;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.Map;

/** A device's own record. */
@Path("/devices/me")
@ApplicationScoped
public class OwnDeviceResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    @Inject
    ClientAuthentication clients;

    /** Returns the record of the device whose access token this is, with what its fleet has for it. */
    @GET
    public Response own(@Context HttpServletRequest request) {
        Device device = device(bearer.device(request).deviceId());
        Map<String, String> tags = registry.devices().tags(device);
        Map<String, Object> record = DeviceView.of(device, tags);
        registry.fleets().find(device.fleet()).ifPresent(fleet -> {
            record.put("configuration", fleet.document().configuration());
            record.put(
                    "topics",
                    fleet.document()
                            .topics()
                            .of(device.id(), fleet.name(), device.serial())
                            .toJson());
        });
        record.put("credentials", CredentialView.of(registry, device, tags, false));
        return Response.ok(Json.bytes(record), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    /**
     * Gives the device a further credential beside the one that it shows to have: a secret, or a public key that it offers. The
     * first use of the new one retires the old one.
     */
    @POST
    @Path("/credentials")
    public Response rotate(@Context HttpServletRequest request, InputStream body) {
        RegistrationBody.Renewal renewal = RegistrationBody.renewal(
                Bodies.read(request, body, Bodies.JSON), request.getHeader(HttpHeaders.AUTHORIZATION) != null);
        Presented presented = clients.renewing(request, renewal.clientAssertion());
        Device device = device(presented.deviceId());
        return RegistrationResource.answer(
                Wire.PLAIN,
                registry.registrar().rotate(device, presented, renewal.offered(), renewal.seal(), Origin.of(request)));
    }

    private Device device(DeviceId id) {
        return registry.devices()
                .find(id)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "the device is gone"));
    }
}
