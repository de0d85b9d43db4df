// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.cdi.Ours;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.Precondition;
import io.muster.webhook.Deliverer;
import io.muster.webhook.EventTypes;
import io.muster.webhook.Webhook;
import io.muster.webhook.WebhookSender;
import io.muster.webhook.Webhooks;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The webhooks of a fleet, for operators. */
@Path("/api/v1/fleets/{fleet}/webhooks")
@ApplicationScoped
public class WebhooksResource {

    private static final String URL = "url";
    private static final String TYPES = "types";
    private static final String UNTIL = "notAfter";
    private static final int LONGEST_DESCRIPTION = 200;
    private static final Duration USUAL_OVERLAP = Duration.ofDays(1);
    private static final Duration LONGEST_OVERLAP = Duration.ofDays(30);

    @Inject
    @Ours
    Clock clock;

    @Inject
    Fleets fleets;

    @Inject
    Webhooks webhooks;

    @Inject
    WebhookSender sender;

    @Inject
    Deliverer deliverer;

    @Inject
    Bearer bearer;

    /** Lists all webhooks of the fleet, in the order in which they were made. */
    @GET
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.WEBHOOKS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        return Replies.json(Map.of(
                        "webhooks",
                        webhooks.list(fleet).stream()
                                .map(WebhooksResource::view)
                                .toList()))
                .build();
    }

    /** Makes a webhook. The reply shows its secret this once. */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        return shown(webhooks.create(fleet, form(request, body), by.name()), 201);
    }

    /** Returns a webhook without its secret. */
    @GET
    @Path("/{id}")
    public Response one(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.WEBHOOKS_READ, fleetName);
        Webhook webhook = webhooks.get(fleets.get(fleetName).name(), id);
        Map<String, Object> view = view(webhook);
        webhooks.secondSecretUntil(webhook.id()).ifPresent(until -> view.put("secondSecretUntil", until));
        return answer(view, webhook);
    }

    /** Replaces a webhook; members left out get their defaults. The secret stays. */
    @PUT
    @Path("/{id}")
    public Response put(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            InputStream body) {
        Operator by = bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        Webhook written = webhooks.put(fleet, id, form(request, body), Precondition.of(request), by.name());
        return answer(view(written), written);
    }

    /** Deletes a webhook, with everything that waits for it. */
    @DELETE
    @Path("/{id}")
    public Response delete(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        webhooks.delete(fleets.get(fleetName).name(), id, Precondition.of(request), by.name());
        return Response.noContent().build();
    }

    /**
     * Makes a new secret, which the reply shows this once. The present one signs beside it until {@code notAfter}, by
     * default for a day.
     */
    @POST
    @Path("/{id}/rotate")
    public Response rotate(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            InputStream body) {
        Operator by = bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Instant now = clock.instant();
        Instant until = fields.time(UNTIL).orElse(now.plus(USUAL_OVERLAP));
        if (until.isAfter(now.plus(LONGEST_OVERLAP))) {
            fields.fault(UNTIL, "must be at most " + LONGEST_OVERLAP.toDays() + " days from now");
        }
        fields.refuseNulls();
        fields.check();
        return shown(webhooks.replaceSecret(fleet, id, until, Precondition.of(request), by.name()), 200);
    }

    /** Sends a message of the type {@code test} now, and returns what the receiver answered. */
    @POST
    @Path("/{id}/test")
    public Response test(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.WEBHOOKS_WRITE, fleetName);
        WebhookSender.Result result =
                deliverer.test(webhooks.get(fleets.get(fleetName).name(), id));
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("accepted", result.error().isEmpty());
        result.status().ifPresent(status -> view.put("status", status));
        view.put("millis", result.millis());
        result.error().ifPresent(error -> view.put("error", error));
        return Replies.json(view).build();
    }

    private Webhook.Form form(HttpServletRequest request, InputStream body) {
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> url = fields.text(URL);
        url.flatMap(sender::fault).ifPresent(fault -> fields.fault(URL, fault));
        fields.require(URL);
        Optional<List<String>> types = fields.meanings(
                TYPES,
                "an array of types of events, each once",
                size -> size >= 1 && size <= EventTypes.all().size(),
                "a type of events that webhooks can get",
                text -> Optional.of(text).filter(EventTypes.all()::contains));
        boolean enabled = fields.flag("enabled").orElse(true);
        Optional<String> description = fields.text(
                        "description",
                        "a string of at most " + LONGEST_DESCRIPTION + " characters and no control characters",
                        text -> text.length() <= LONGEST_DESCRIPTION
                                && text.chars().noneMatch(Character::isISOControl))
                .filter(text -> !text.isEmpty());
        fields.refuseNulls();
        fields.check();
        return new Webhook.Form(url.orElseThrow(), types, enabled, description);
    }

    private static Response shown(Webhooks.Created created, int status) {
        Map<String, Object> view = view(created.webhook());
        view.put("secret", created.secret());
        return Replies.json(view).status(status).tag(tag(created.webhook())).build();
    }

    private static Response answer(Map<String, Object> view, Webhook webhook) {
        return Replies.json(view).tag(tag(webhook)).build();
    }

    private static EntityTag tag(Webhook webhook) {
        return new EntityTag(Long.toString(webhook.version()));
    }

    private static Map<String, Object> view(Webhook webhook) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", webhook.id());
        view.put("fleet", webhook.fleet());
        view.put(URL, webhook.form().url());
        webhook.form().types().ifPresent(types -> view.put(TYPES, types));
        view.put("enabled", webhook.form().enabled());
        webhook.form().description().ifPresent(text -> view.put("description", text));
        view.put("createdAt", webhook.createdAt());
        webhook.goneAt().ifPresent(at -> view.put("goneAt", at));
        webhook.deliveredAt().ifPresent(at -> view.put("deliveredAt", at));
        webhook.failingSince().ifPresent(at -> {
            view.put("failingSince", at);
            view.put("failures", webhook.failures());
        });
        webhook.lastError().ifPresent(error -> view.put("lastError", error));
        webhook.fullSince().ifPresent(at -> view.put("fullSince", at));
        return view;
    }
}
