// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.fleet.Fleets;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.verification.hmac.EnrolmentKey;
import io.muster.verification.hmac.EnrolmentKeys;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Enrolment keys of a fleet, for operators. */
@Path("/api/v1/fleets/{fleet}/enrolment-keys")
@ApplicationScoped
public class EnrolmentKeysResource {

    @Inject
    Fleets fleets;

    @Inject
    EnrolmentKeys enrolmentKeys;

    @Inject
    Bearer bearer;

    /**
     * Makes or imports a key from {@code {"id": "...", "key": "...", "notBefore": "...", "notAfter": "...", "maxUses":
     * 1000}}. Every member is optional. The reply shows the key this once.
     */
    @POST
    public Response create(
            @Context HttpServletRequest request, @PathParam("fleet") String fleetName, InputStream body) {
        Operator by = bearer.operator(request, Right.KEYS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        EnrolmentKeys.Created created =
                enrolmentKeys.create(EnrolmentKeyBody.parse(Bodies.read(request, body, Bodies.JSON), fleet), by.name());
        Map<String, Object> view = view(created.key());
        view.put("key", created.secret());
        return Replies.json(view).status(201).build();
    }

    /** Lists the fleet's keys of every state in the order of their ids, in pages like those of devices. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@Context HttpServletRequest request, @PathParam("fleet") String fleetName) {
        bearer.operator(request, Right.KEYS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        Query query = Query.of(request);
        Optional<String> after = query.cursor(EnrolmentKey::isId);
        int limit = query.limit();
        query.check();
        List<EnrolmentKey> keys = enrolmentKeys.list(fleet, after, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("enrolmentKeys", keys.stream().map(this::view).toList());
        if (keys.size() == limit) {
            page.put("next", keys.get(limit - 1).id());
        }
        return Replies.json(page).build();
    }

    /** Returns the data of a key, without the key itself. */
    @GET
    @Path("/{id}")
    public Response one(
            @Context HttpServletRequest request, @PathParam("fleet") String fleetName, @PathParam("id") String id) {
        bearer.operator(request, Right.KEYS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        return view(enrolmentKeys.find(fleet, id));
    }

    /** Revokes a key; effective on this node at once, on others within two seconds. Devices that it enrolled stay. */
    @POST
    @Path("/{id}/revoke")
    public Response revoke(
            @Context HttpServletRequest request, @PathParam("fleet") String fleetName, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.KEYS_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        return view(enrolmentKeys.revoke(fleet, id, by.name()));
    }

    private Response view(Optional<EnrolmentKey> found) {
        return Replies.json(view(
                        found.orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such enrolment key"))))
                .build();
    }

    private Map<String, Object> view(EnrolmentKey key) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", key.id());
        view.put("fleet", key.fleet());
        view.put("state", enrolmentKeys.state(key).word());
        key.notBefore().ifPresent(at -> view.put("notBefore", at));
        key.notAfter().ifPresent(at -> view.put("notAfter", at));
        key.maxUses().ifPresent(most -> {
            view.put("maxUses", most);
            view.put("uses", key.uses());
        });
        key.revokedAt().ifPresent(at -> view.put("revokedAt", at));
        view.put("createdAt", key.createdAt());
        return view;
    }
}
