// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.fleet.Fleets;
import io.muster.operator.Imports;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The record of imports, for operators. */
@Path("/api/v1/fleets/{fleet}/imports")
@ApplicationScoped
public class ImportsResource {

    @Inject
    Fleets fleets;

    @Inject
    Imports imports;

    @Inject
    Bearer bearer;

    /** Lists imports, the newest first; {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        Query query = Query.of(request);
        // An import's id has the form of a device's.
        Optional<String> before = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        return Replies.page(
                "imports", imports.list(fleet, before, limit), limit, ImportsResource::view, Imports.Entry::id);
    }

    /** Returns one import. */
    @GET
    @Path("/{id}")
    public Response one(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.SERIALS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        return Replies.json(view(Optional.of(id)
                        .filter(DeviceId::isValid)
                        .flatMap(valid -> imports.find(fleet, valid))
                        .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such import"))))
                .build();
    }

    private static Map<String, Object> view(Imports.Entry entry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", entry.id());
        view.put("state", entry.state().word());
        view.put("operator", entry.operator());
        view.put("startedAt", entry.startedAt());
        entry.endedAt().ifPresent(at -> view.put("endedAt", at));
        view.put("read", entry.counts().read());
        view.put("accepted", entry.counts().accepted());
        view.put("rejected", entry.counts().rejected());
        return view;
    }
}
