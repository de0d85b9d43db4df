// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.fleet.Fleets;
import io.muster.json.Json;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import io.muster.webhook.Deliveries;
import io.muster.webhook.Delivery;
import io.muster.webhook.Webhook;
import io.muster.webhook.Webhooks;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The deliveries of a webhook, for operators. */
@Path("/api/v1/fleets/{fleet}/webhooks/{id}/deliveries")
@ApplicationScoped
public class WebhookDeliveriesResource {

    @Inject
    Fleets fleets;

    @Inject
    Webhooks webhooks;

    @Inject
    Deliveries deliveries;

    @Inject
    Bearer bearer;

    /** Lists deliveries without their bodies, the newest first, in pages like those of devices. */
    @GET
    @QueryNames({"state", "limit", "cursor"})
    public Response list(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.WEBHOOKS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        Query query = Query.of(request);
        Optional<Delivery.State> state = query.get("state", "waiting, delivered or dead", Delivery.State::of);
        Optional<String> before = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        return Replies.page(
                "deliveries",
                deliveries.list(webhooks.get(fleet, id), state, before, limit),
                limit,
                WebhookDeliveriesResource::view,
                Delivery::id);
    }

    /** Returns a delivery with its body. */
    @GET
    @Path("/{delivery}")
    public Response one(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            @PathParam("delivery") String delivery) {
        bearer.operator(request, Right.WEBHOOKS_READ, fleetName);
        return Replies.json(view(deliveries.get(webhook(fleetName, id), valid(delivery))))
                .build();
    }

    /** Has a delivery sent again, in any state. */
    @POST
    @Path("/{delivery}/resend")
    public Response resend(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            @PathParam("delivery") String delivery) {
        Operator by = bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        return Replies.json(view(deliveries.sendAgain(webhook(fleetName, id), valid(delivery), by.name())))
                .build();
    }

    /** Has the oldest dead letters sent again, a thousand at once. */
    @POST
    @Path("/resend")
    public Response resendDead(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        int changed = deliveries.sendDeadAgain(webhook(fleetName, id), by.name());
        return Replies.json(Map.of("changed", changed, "more", changed == Deliveries.MOST_AT_ONCE))
                .build();
    }

    private Webhook webhook(String fleetName, String id) {
        return webhooks.get(fleets.get(fleetName).name(), id);
    }

    private static String valid(String id) {
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such delivery");
        }
        return id;
    }

    private static Map<String, Object> view(Delivery one) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", one.id());
        view.put("type", one.type());
        view.put("state", one.state().word());
        view.put("createdAt", one.createdAt());
        one.dueAt().ifPresent(at -> view.put("dueAt", at));
        view.put("attempts", one.attempts());
        one.last().ifPresent(last -> {
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("at", last.at());
            last.status().ifPresent(status -> members.put("status", status));
            members.put("millis", last.millis());
            last.error().ifPresent(error -> members.put("error", error));
            view.put("lastAttempt", members);
        });
        one.body().ifPresent(body -> view.put("body", Json.stored(body)));
        return view;
    }
}
