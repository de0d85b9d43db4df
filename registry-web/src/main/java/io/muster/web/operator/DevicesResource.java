// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.CredentialOrders;
import io.muster.credential.Revocations;
import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.lifecycle.DeviceLifecycle;
import io.muster.lifecycle.DevicePatch;
import io.muster.lifecycle.Timeline;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.search.DeviceSearch;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.CredentialView;
import io.muster.web.DeviceView;
import io.muster.web.Precondition;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Clock;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Devices, for operators. */
@Path("/api/v1/devices")
@ApplicationScoped
public class DevicesResource {

    private static final String MERGE_PATCH = "application/merge-patch+json";

    @Inject
    ClientAuthenticator authenticator;

    @Inject
    @Ours
    Clock clock;

    @Inject
    Fleets fleets;

    @Inject
    CredentialOrders credentialOrders;

    @Inject
    Revocations revocations;

    @Inject
    DeviceStore devices;

    @Inject
    VisibleDevices visible;

    @Inject
    DeviceSearch search;

    @Inject
    DeviceLifecycle lifecycle;

    @Inject
    Timeline timeline;

    @Inject
    Bearer bearer;

    /**
     * Lists devices in the order in which they registered. {@code fleet}, {@code serial}, {@code state} and
     * {@code tag=<name>:<text>} filter. {@code limit} (100, at most 1,000) and {@code cursor}, the {@code next} of the
     * page before, page. A page may have fewer devices than its limit, or none, and still have a {@code next}.
     * {@code filter}, {@code q} and {@code sort} search one fleet.
     */
    @GET
    @QueryNames({"fleet", "serial", "state", "tag", "filter", "q", "sort", "limit", "cursor"})
    public Response list(@Context HttpServletRequest request) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_READ);
        Query query = Query.of(request);
        List<Fleet> readable = fleets.list().stream()
                .filter(fleet -> operator.may(Right.DEVICES_READ, fleet.name()))
                .toList();
        List<Fleet> among = query.get("fleet", "a fleet", name -> readable.stream()
                        .filter(fleet -> fleet.name().equals(name))
                        .findFirst())
                .map(List::of)
                .orElse(readable);
        Optional<String> serial =
                query.get("serial", syntax(among), text -> Optional.of(text).filter(spelled -> among.stream()
                        .anyMatch(
                                fleet -> fleet.document().serials().of(spelled).isPresent())));
        Optional<Map.Entry<String, String>> tag = query.get("tag", "<name>:<text>", DevicesResource::tag);
        Optional<DeviceState> state = query.get("state", "pending, active, disabled or retired", DeviceState::of);
        if (DeviceQuery.isSearch(query)) {
            return search(query, DeviceQuery.of(query, among, serial, tag, state));
        }
        Optional<DeviceId> after = query.cursor(DeviceId::isValid).map(DeviceId::new);
        int limit = query.limit();
        query.check();
        DeviceStore.Page found = list(filters(among, serial, tag, state), after, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("devices", views(found.devices(), found.tags()));
        found.next().ifPresent(next -> page.put("next", next.value()));
        return Replies.json(page).build();
    }

    private Response search(Query query, Optional<DeviceSearch.Wanted> wanted) {
        Optional<String> after =
                query.cursor(text -> wanted.map(one -> one.isNext(text)).orElse(true));
        int limit = query.limit();
        query.check();
        DeviceSearch.Page found = search.list(wanted.orElseThrow(), after, limit);
        return Replies.sifted("devices", views(found.devices(), found.tags()), found.next(), found.complete());
    }

    private static List<Map<String, Object>> views(List<Device> devices, Map<DeviceId, Map<String, String>> tags) {
        return devices.stream()
                .map(device -> DeviceView.of(device, tags.get(device.id())))
                .toList();
    }

    private DeviceStore.Page list(Stream<DeviceStore.Filter> filters, Optional<DeviceId> after, int limit) {
        List<DeviceStore.Page> pages =
                filters.map(filter -> devices.list(filter, after, limit)).toList();
        if (pages.size() == 1) {
            return pages.get(0);
        }
        // All have one serial, and each fleet has one device of it at most.
        List<Device> devices = pages.stream()
                .flatMap(page -> page.devices().stream())
                .sorted(Comparator.comparing(Device::id))
                .toList();
        Map<DeviceId, Map<String, String>> tags = new LinkedHashMap<>();
        pages.forEach(page -> tags.putAll(page.tags()));
        boolean more = devices.size() > limit
                || pages.stream().anyMatch(page -> page.next().isPresent());
        List<Device> some = devices.size() > limit ? devices.subList(0, limit) : devices;
        return new DeviceStore.Page(
                some, tags, more ? Optional.of(some.get(some.size() - 1).id()) : Optional.empty());
    }

    private static String syntax(List<Fleet> fleets) {
        return fleets.size() == 1 ? fleets.get(0).document().serials().syntax() : SerialNumber.SYNTAX;
    }

    /** Returns one filter, or several if the fleets spell the serial in different ways. */
    private static Stream<DeviceStore.Filter> filters(
            List<Fleet> fleets,
            Optional<String> serial,
            Optional<Map.Entry<String, String>> tag,
            Optional<DeviceState> state) {
        boolean tagIsSerial =
                tag.filter(named -> named.getKey().equals(DeviceTag.SERIAL)).isPresent();
        Optional<String> second = tag.filter(named -> tagIsSerial).map(Map.Entry::getValue);
        if (serial.isEmpty() && second.isEmpty()) {
            return Stream.of(new DeviceStore.Filter(names(fleets), serial, tag, state));
        }
        Map<List<Optional<String>>, List<Fleet>> spelled =
                fleets.stream().collect(Collectors.groupingBy(fleet -> List.of(in(fleet, serial), in(fleet, second))));
        return spelled.entrySet().stream()
                // If no serial of a fleet is spelled like this, no device of it matches.
                .filter(group -> group.getKey().get(0).isPresent() == serial.isPresent()
                        && group.getKey().get(1).isPresent() == second.isPresent())
                .map(group -> new DeviceStore.Filter(
                        names(group.getValue()),
                        group.getKey().get(0),
                        tagIsSerial ? group.getKey().get(1).map(text -> Map.entry(DeviceTag.SERIAL, text)) : tag,
                        state));
    }

    private static Optional<String> in(Fleet fleet, Optional<String> serial) {
        return serial.flatMap(text -> fleet.document().serials().of(text)).map(SerialNumber::value);
    }

    private static Set<String> names(List<Fleet> fleets) {
        return fleets.stream().map(Fleet::name).collect(Collectors.toUnmodifiableSet());
    }

    private static Optional<Map.Entry<String, String>> tag(String text) {
        int colon = text.indexOf(':');
        return colon > 0 && colon < text.length() - 1
                ? Optional.of(Map.entry(text.substring(0, colon), text.substring(colon + 1)))
                : Optional.empty();
    }

    /** Returns one device with its credentials. Each is the record of an admission, with its time and address. */
    @GET
    @Path("/{id}")
    public Response one(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_READ);
        Device device = visible.get(operator, Right.DEVICES_READ, id);
        return Replies.json(view(device)).tag(tag(device)).build();
    }

    private EntityTag tag(Device device) {
        return new EntityTag(Long.toString(DeviceLifecycle.version(device, devices.tags(device))));
    }

    /**
     * Changes name, tags and attributes by a merge patch (RFC 7396). With {@code If-Match}, changes only what was read.
     */
    @PATCH
    @Path("/{id}")
    public Response patch(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        byte[] bytes = Bodies.read(request, body, Bodies.is(request, MERGE_PATCH) ? MERGE_PATCH : Bodies.JSON);
        Device before = visible.get(operator, Right.DEVICES_WRITE, id);
        DevicePatch patch =
                DevicePatchBody.parse(bytes, fleets.get(before.fleet()).document());
        Device device = lifecycle
                .change(before.id(), patch, Precondition.of(request), operator.name())
                .orElseThrow(VisibleDevices::noSuchDevice);
        Map<String, Object> known = DeviceView.of(device, Map.of());
        known.remove("tags");
        Response.ResponseBuilder reply = Replies.stored(known, () -> view(device));
        Replies.perhaps(() -> tag(device)).ifPresent(reply::tag);
        return reply.build();
    }

    /** Deletes a device. A tombstone without personal data stays. */
    @DELETE
    @Path("/{id}")
    public Response delete(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        Device device = visible.get(operator, Right.DEVICES_WRITE, id);
        if (!lifecycle.delete(device.id(), Precondition.of(request), operator.name())) {
            throw VisibleDevices.noSuchDevice();
        }
        return Response.noContent().build();
    }

    /**
     * Lists what happened to a device, the newest first, from the first refusal of its serial to its last use of a
     * credential.
     */
    @GET
    @Path("/{id}/events")
    @QueryNames({"limit", "cursor"})
    public Response events(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_READ);
        Query query = Query.of(request);
        Optional<String> before = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        Device device = visible.get(operator, Right.DEVICES_READ, id);
        return Replies.page(
                "events", timeline.list(device, before, limit), limit, DevicesResource::view, Timeline.Entry::id);
    }

    private static Map<String, Object> view(Timeline.Entry entry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", entry.id());
        view.put("at", entry.at());
        view.put("type", entry.type());
        entry.who().ifPresent(who -> view.put("who", who));
        entry.detail().ifPresent(detail -> view.put("detail", detail));
        entry.key().ifPresent(key -> view.put("key", key));
        return view;
    }

    /** Disables a device; effective on this node at once, on others within two seconds. */
    @POST
    @Path("/{id}/disable")
    public Response disable(@Context HttpServletRequest request, @PathParam("id") String id) {
        return change(request, id, DeviceState.DISABLED);
    }

    /** Enables a disabled device. */
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
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        Device device = visible.get(operator, Right.DEVICES_WRITE, id);
        return stored(devices.change(device.id(), state, operator.name()).orElseThrow(VisibleDevices::noSuchDevice));
    }

    /**
     * Revokes a credential, {@code {"key": "...", "reason": "..."}}. Without a key, revokes all credentials of the
     * device, and its allowances.
     */
    @POST
    @Path("/{id}/revoke")
    public Response revoke(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        Optional<String> key = fields.text("key");
        Optional<String> reason = Members.reason(fields);
        // A key that is null is a mistake of the caller, and does not mean all.
        fields.refuseNulls();
        fields.check();
        Device device = visible.get(operator, Right.DEVICES_WRITE, id);
        revocations
                .revoke(device.id(), key, reason.orElse(""), operator.name())
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such device or credential"));
        return stored(device);
    }

    /** Orders the device to renew its credentials between {@code notBefore} and {@code notAfter}. */
    @POST
    @Path("/{id}/rotate")
    public Response rotate(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_WRITE);
        Device device = visible.get(operator, Right.DEVICES_WRITE, id);
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        OrderBody.Window window = OrderBody.window(fields, clock);
        Optional<String> reason = Members.reason(fields);
        fields.refuseNulls();
        fields.check();
        if (device.state() == DeviceState.RETIRED) {
            throw RegistryException.withDetail(ProblemType.CONFLICT, "the device is retired and renews nothing");
        }
        credentialOrders.rotate(
                new CredentialOrders.Scope(device.fleet(), Optional.empty(), Optional.of(device.id())),
                window.notBefore(),
                window.notAfter(),
                reason.orElse(""),
                operator.name());
        return stored(device);
    }

    private Response stored(Device device) {
        Map<String, Object> known = DeviceView.of(device, Map.of());
        known.remove("tags");
        return Replies.stored(known, () -> view(device)).build();
    }

    private Map<String, Object> view(Device device) {
        Map<String, String> tags = devices.tags(device);
        Map<String, Object> view = DeviceView.of(device, tags);
        view.put(
                "credentials",
                CredentialView.of(
                        credentialOrders, authenticator.credentials(device.id()), device, tags, true, clock.instant()));
        return view;
    }
}
