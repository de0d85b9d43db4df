package io.muster.web.device;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.device.Device;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.token.VerifiedToken;
import io.muster.web.Bearer;
import io.muster.web.DeviceView;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;

/** A device's own record. */
@Path("/devices/me")
@ApplicationScoped
public class OwnDeviceResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Returns the record of the device whose access token this is. */
    @GET
    public Response own(@Context HttpServletRequest request) {
        VerifiedToken token = bearer.device(request);
        Device device = registry.devices()
                .find(token.deviceId())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "the device is gone"));
        Map<String, Object> record = DeviceView.of(device, registry.devices().tags(device));
        registry.fleets()
                .find(device.fleet())
                .ifPresent(fleet -> record.put("configuration", fleet.document().configuration()));
        return Response.ok(Json.bytes(record), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
