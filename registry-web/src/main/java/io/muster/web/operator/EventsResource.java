// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.search.Expression;
import io.muster.search.ListSearch;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The record of decisions for operators, with their authors and times, and the true reason of every refusal. */
@Path("/api/v1/events")
@ApplicationScoped
public class EventsResource {

    @Inject
    Audit audit;

    @Inject
    ListSearch search;

    @Inject
    Bearer bearer;

    /**
     * Lists events, the newest first, in pages like those of devices. To see events that concern no fleet, an operator
     * needs the right for all fleets.
     */
    @GET
    @QueryNames({"filter", "limit", "cursor"})
    public Response list(@Context HttpServletRequest request) {
        Operator operator = bearer.operatorSomewhere(request, Right.DEVICES_READ);
        Query query = Query.of(request);
        // An event's id has the form of a device's.
        Optional<String> before = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        Optional<Expression> filter = DeviceQuery.filter(query, ListSearch.events());
        query.check();
        if (filter.isPresent() || !operator.may(Right.DEVICES_READ)) {
            return Replies.sifted(
                    "events",
                    search.events(filter, fleet -> operator.may(Right.DEVICES_READ, fleet), before, limit),
                    EventsResource::view);
        }
        List<AuditEvent> events = audit.list(before, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("events", events.stream().map(EventsResource::view).toList());
        if (events.size() == limit) {
            page.put("next", events.get(limit - 1).id());
        }
        return Replies.json(page).build();
    }

    static Map<String, Object> view(AuditEvent event) {
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
