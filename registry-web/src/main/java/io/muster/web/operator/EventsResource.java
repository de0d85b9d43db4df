// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.fleet.Fleets;
import io.muster.json.Json;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.record.SealedEvents;
import io.muster.search.Expression;
import io.muster.search.ListSearch;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.container.AsyncResponse;
import jakarta.ws.rs.container.Suspended;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.util.Arrays;
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
    SealedEvents sealed;

    @Inject
    EventStreams streams;

    @Inject
    Fleets fleets;

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

    /**
     * Streams events as server-sent events, in the order in which they were sealed. {@code Last-Event-ID} resumes on any
     * node.
     *
     * @param waiting never resumed, but for HEAD: the stream is written without JAX-RS
     */
    @GET
    @Path("/stream")
    @QueryNames({"fleet", "type", "filter"})
    public void stream(
            @Context HttpServletRequest request,
            @HeaderParam("Last-Event-ID") String last,
            @Suspended AsyncResponse waiting)
            throws IOException {
        Query query = Query.of(request);
        Optional<String> fleet = query.get("fleet", "the name of a fleet", Optional::of);
        Operator operator = fleet.isPresent()
                ? bearer.operator(request, Right.DEVICES_READ, fleet.get())
                : bearer.operatorSomewhere(request, Right.DEVICES_READ);
        fleet.ifPresent(fleets::get);
        Optional<String> type = query.get(
                "type", "a type of events", text -> Optional.of(text).filter(word -> Arrays.stream(Audit.Type.values())
                        .anyMatch(one -> one.word().equals(word))));
        Optional<Expression> filter = DeviceQuery.filter(query, ListSearch.events());
        SealedEvents.Place end = sealed.end();
        Optional<SealedEvents.Place> from = last == null ? Optional.of(end) : sealed.place(last);
        if (from.isEmpty()) {
            query.fault("Last-Event-ID must be an id of this stream");
        }
        query.check();
        if (request.getMethod().equals("HEAD")) {
            waiting.resume(Response.ok().type(EventStreams.TYPE).build());
            return;
        }
        SealedEvents.Place first =
                from.filter(place -> place.compareTo(end) < 0).orElse(end);
        streams.open(
                request,
                operator,
                bearer.standing(request),
                new Events(sealed, new Wanted(fleet, type, filter), first));
    }

    /** Which events a stream has, of those that its operator sees. */
    private record Wanted(Optional<String> fleet, Optional<String> type, Optional<Expression> filter) {

        boolean has(AuditEvent event, Operator operator) {
            boolean visible = event.fleet() == null
                    ? operator.may(Right.DEVICES_READ)
                    : operator.may(Right.DEVICES_READ, event.fleet());
            return visible
                    && fleet.map(name -> name.equals(event.fleet())).orElse(true)
                    && type.map(word -> word.equals(event.type())).orElse(true)
                    && filter.map(one -> ListSearch.events().matches(one, event))
                            .orElse(true);
        }

        void require(Operator operator) {
            boolean permitted = fleet.map(name -> operator.may(Right.DEVICES_READ, name))
                    .orElseGet(() -> operator.maySomewhere(Right.DEVICES_READ));
            if (!permitted) {
                throw new RegistryException(ProblemType.FORBIDDEN, "the right has ended");
            }
        }
    }

    /** The events behind a place. */
    private static final class Events implements EventStreams.Source {

        private static final int LONGEST = 32 * 1024;

        private final SealedEvents sealed;
        private final Wanted wanted;
        private SealedEvents.Place place;
        private boolean more;

        Events(SealedEvents sealed, Wanted wanted, SealedEvents.Place from) {
            this.sealed = sealed;
            this.wanted = wanted;
            this.place = from;
        }

        @Override
        public String next(Operator operator) {
            wanted.require(operator);
            SealedEvents.Page page = sealed.after(place);
            StringBuilder text = new StringBuilder();
            for (SealedEvents.Placed one : page.events()) {
                if (wanted.has(one.event(), operator)) {
                    text.append(EventStreams.event(
                            Optional.of(one.word()), one.event().type(), Json.text(view(one.event()))));
                }
                if (text.length() > LONGEST) {
                    place = one.place();
                    more = true;
                    return text.toString();
                }
            }
            place = page.end();
            more = page.hasMore();
            return text.toString();
        }

        @Override
        public boolean hasMore() {
            return more;
        }

        @Override
        public String heartbeat() {
            // An id without an event: a reader who sees few of all events need not go through the rest when it resumes.
            return ":\n" + (place.equals(SealedEvents.Place.behind(place.seal())) ? "id: " + place.seal() + "\n" : "")
                    + "\n";
        }

        @Override
        public boolean isOver() {
            return false;
        }
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
