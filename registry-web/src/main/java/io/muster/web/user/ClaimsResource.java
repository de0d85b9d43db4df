// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.fleet.ClaimRules;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.ownership.ClaimCodes;
import io.muster.ownership.Claims;
import io.muster.ownership.EvenClaims;
import io.muster.ownership.OwnedDevice;
import io.muster.ownership.OwnedDevices;
import io.muster.ownership.Owner;
import io.muster.problem.RegistryException;
import io.muster.user.User;
import io.muster.web.Bodies;
import io.muster.web.Origin;
import io.muster.web.Problems;
import io.muster.web.operator.Query;
import io.muster.web.operator.QueryNames;
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
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The devices of users. */
@Path("/claims")
@ApplicationScoped
public class ClaimsResource {

    private static final String MERGE_PATCH = "application/merge-patch+json";
    /** Not a word such as {@code me}, whose other methods would else be those of a device. */
    private static final String DEVICE = "/{id: [0-9a-f]{32}}";

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    Claims claims;

    @Inject
    EvenClaims evenClaims;

    @Inject
    UserAccess access;

    /** Claims a device for the user who calls, or for one of the user's groups. Doing it again is answered with 200. */
    @POST
    public CompletionStage<Response> claim(@Context HttpServletRequest request, InputStream body) {
        User user = access.user(request);
        byte[] bytes = Bodies.read(request, body, Bodies.JSON);
        EvenClaims.Watch watch = evenClaims.watch();
        try {
            Claims.Claimed claimed =
                    claims.claim(ClaimBody.claim(bytes, user, Origin.of(request, config.trustedProxies())), watch);
            Response.ResponseBuilder response =
                    json(OwnerView.of(claimed.device())).status(claimed.again() ? 200 : 201);
            if (!claimed.again()) {
                response.header(
                        HttpHeaders.LOCATION,
                        config.issuer().toString().replaceAll("/+$", "") + "/claims/"
                                + claimed.device().claimId());
            }
            return CompletableFuture.completedFuture(response.build());
        } catch (RegistryException e) {
            if (e.type() != ProblemType.CLAIM_REFUSED) {
                throw e;
            }
            return watch.answer(Problems.response(e.type(), e.type().status(), null, List.of(), e.getMessage())
                    .build());
        }
    }

    /** Lists the devices of the user and then those of the user's groups; {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@Context HttpServletRequest request) {
        User user = access.user(request);
        Query query = Query.of(request);
        Optional<String> after = query.cursor(OwnedDevices::isCursor);
        int limit = query.limit();
        query.check();
        OwnedDevices.Page found = claims.list(user, after, limit);
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("items", found.devices().stream().map(OwnerView::of).toList());
        found.next().ifPresent(next -> page.put("next", next));
        return json(page).build();
    }

    /** Returns who calls, as the registry understands the token. */
    @GET
    @Path("/me")
    public Response me(@Context HttpServletRequest request) {
        User user = access.user(request);
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("user", Owner.text(user));
        user.name().ifPresent(name -> view.put("name", name));
        view.put("groups", user.groups().stream().sorted().toList());
        return json(view).build();
    }

    /** Returns one device, by its id or that of the claim. */
    @GET
    @Path(DEVICE)
    public Response one(@Context HttpServletRequest request, @PathParam("id") String id) {
        return json(OwnerView.of(claims.find(access.user(request), id))).build();
    }

    /** Changes how the owner calls a device, and its tags that owners may set. */
    @PATCH
    @Path(DEVICE)
    public Response change(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        User user = access.user(request);
        byte[] bytes = Bodies.read(request, body, Bodies.is(request, MERGE_PATCH) ? MERGE_PATCH : Bodies.JSON);
        OwnedDevice device = claims.find(user, id);
        ClaimBody.Change change = ClaimBody.change(
                bytes,
                fleets.find(device.fleet())
                        .flatMap(fleet -> fleet.document().claims())
                        .map(ClaimRules::tags)
                        .orElse(List.of()));
        return json(OwnerView.of(claims.change(user, id, change.name(), change.tags())))
                .build();
    }

    /** Gives a device up. It then belongs to nobody. */
    @DELETE
    @Path(DEVICE)
    public Response release(@Context HttpServletRequest request, @PathParam("id") String id) {
        claims.release(access.user(request), id);
        return Response.noContent().build();
    }

    /** Makes a code for the next owner, which is good once and for a day. */
    @POST
    @Path(DEVICE + "/transfer")
    public Response transfer(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        User user = access.user(request);
        Fields.of(Bodies.optional(request, body, Bodies.JSON)).check();
        ClaimCodes.Made made = claims.transfer(user, id);
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("code", made.code().text());
        made.expiresAt().ifPresent(at -> view.put("expiresAt", at));
        return json(view).status(201).build();
    }

    private static Response.ResponseBuilder json(Object body) {
        return Response.ok(Json.bytes(body), MediaType.APPLICATION_JSON).header(HttpHeaders.CACHE_CONTROL, "no-store");
    }
}
