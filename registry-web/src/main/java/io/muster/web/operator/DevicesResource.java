package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.credential.CredentialOrders;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.CredentialView;
import io.muster.web.DeviceView;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Devices, for operators. */
@Path("/api/v1/devices")
@ApplicationScoped
public class DevicesResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /**
     * Lists devices in the order they registered. {@code fleet}, {@code serial}, {@code state} and {@code tag=<name>:<text>}
     * filter; {@code limit} (100, at most 1,000) and {@code cursor}, the {@code next} of the page before, page.
     */
    @GET
    public Response list(@Context HttpServletRequest request, @Context UriInfo uri) {
        bearer.operator(request, Right.DEVICES_READ);
        Query query = new Query(uri, Set.of("fleet", "serial", "state", "tag", "limit", "cursor"));
        Set<String> fleets = query.get(
                        "fleet", "a fleet", name -> registry.fleets().find(name))
                .map(fleet -> Set.of(fleet.name()))
                .orElse(registry.fleets().names());
        DeviceStore.Filter filter = new DeviceStore.Filter(
                fleets,
                query.get(
                        "serial", SerialNumber.SYNTAX, text -> Optional.of(text).filter(SerialNumber::isValid)),
                query.get("tag", "<name>:<text>", DevicesResource::tag),
                query.get("state", "pending, active, disabled or retired", DeviceState::of));
        Optional<DeviceId> after = query.cursor(DeviceId::isValid).map(DeviceId::new);
        int limit = query.limit();
        query.check();
        List<Device> devices = registry.devices().list(filter, after, limit);
        Map<DeviceId, Map<String, String>> tags = registry.devices().tags(devices);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put(
                "devices",
                devices.stream()
                        .map(device -> DeviceView.of(device, tags.get(device.id())))
                        .toList());
        if (devices.size() == limit) {
            page.put("next", devices.get(limit - 1).id().value());
        }
        return Replies.json(page).build();
    }

    private static Optional<Map.Entry<String, String>> tag(String text) {
        int colon = text.indexOf(':');
        return colon > 0 && colon < text.length() - 1
                ? Optional.of(Map.entry(text.substring(0, colon), text.substring(colon + 1)))
                : Optional.empty();
    }

    /** Returns one device with its credentials, each the record of an admission: when, and to which address. */
    @GET
    @Path("/{id}")
    public Response one(@Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.DEVICES_READ);
        return view(registry.devices().find(deviceId(id)));
    }

    /** Keeps a device from authenticating; on this node at once, on others within two seconds. */
    @POST
    @Path("/{id}/disable")
    public Response disable(@Context HttpServletRequest request, @PathParam("id") String id) {
        return change(request, id, DeviceState.DISABLED);
    }

    /** Lets a disabled device authenticate again. */
    @POST
    @Path("/{id}/enable")
    public Response enable(@Context HttpServletRequest request, @PathParam("id") String id) {
        return change(request, id, DeviceState.ACTIVE);
    }

    /** Makes a device a tombstone: its serial never registers again without an allowance. */
    @POST
    @Path("/{id}/retire")
    public Response retire(@Context HttpServletRequest request, @PathParam("id") String id) {
        return change(request, id, DeviceState.RETIRED);
    }

    private Response change(HttpServletRequest request, String id, DeviceState state) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        return view(registry.devices().change(deviceId(id), state, operator.name()));
    }

    /** Revokes a credential, {@code {"key": "...", "reason": "..."}}; without a key, all that the device has, and its allowances. */
    @POST
    @Path("/{id}/revoke")
    public Response revoke(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        DeviceId device = deviceId(id);
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        Optional<String> key = fields.text("key");
        Optional<String> reason = Members.reason(fields);
        // A key that the caller failed to fill in does not mean all.
        fields.refuseNulls();
        fields.check();
        registry.revocations()
                .revoke(device, key, reason.orElse(""), operator.name())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such device or credential"));
        return view(registry.devices().find(device));
    }

    /** Has the device renew its credentials between {@code notBefore} and {@code notAfter}. */
    @POST
    @Path("/{id}/rotate")
    public Response rotate(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE);
        Device device = registry.devices()
                .find(deviceId(id))
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such device"));
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        OrderBody.Window window = OrderBody.window(fields, registry.clock());
        Optional<String> reason = Members.reason(fields);
        fields.refuseNulls();
        fields.check();
        if (device.state() == DeviceState.RETIRED) {
            throw RegistryException.withDetail(ProblemType.CONFLICT, "the device is retired and renews nothing");
        }
        registry.credentialOrders()
                .rotate(
                        new CredentialOrders.Scope(device.fleet(), Optional.empty(), Optional.of(device.id())),
                        window.notBefore(),
                        window.notAfter(),
                        reason.orElse(""),
                        operator.name());
        return view(Optional.of(device));
    }

    private static DeviceId deviceId(String id) {
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, "not a device id");
        }
        return new DeviceId(id);
    }

    private Response view(Optional<Device> found) {
        Device device = found.orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such device"));
        Map<String, String> tags = registry.devices().tags(device);
        Map<String, Object> view = DeviceView.of(device, tags);
        view.put("credentials", CredentialView.of(registry, device, tags, true));
        return Replies.json(view).build();
    }
}
