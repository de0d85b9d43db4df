package io.muster.web.operator;

import io.muster.Registry;
import io.muster.audit.AuditEvent;
import io.muster.operator.Right;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What was decided, by whom and when; the true reason of every refusal is here. For operators. */
@Path("/api/v1/events")
@ApplicationScoped
public class EventsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Lists events, the newest first, in pages as those of devices. */
    @GET
    public Response list(@Context HttpServletRequest request, @Context UriInfo uri) {
        bearer.operator(request, Right.DEVICES_READ);
        Query query = new Query(uri, Set.of("limit", "cursor"));
        // An event's id has the form of a device's.
        Optional<String> before = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        List<AuditEvent> events = registry.audit().list(before, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("events", events.stream().map(EventsResource::view).toList());
        if (events.size() == limit) {
            page.put("next", events.get(limit - 1).id());
        }
        return Replies.json(page).build();
    }

    private static Map<String, Object> view(AuditEvent event) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", event.id());
        view.put("at", event.at());
        view.put("type", event.type());
        putIfKnown(view, "fleet", event.fleet());
        putIfKnown(view, "serial", event.serial());
        putIfKnown(view, "deviceId", event.deviceId());
        view.put("who", event.who());
        putIfKnown(view, "detail", event.detail());
        return view;
    }

    private static void putIfKnown(Map<String, Object> view, String name, String value) {
        if (value != null) {
            view.put(name, value);
        }
    }
}
