// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Grant;
import io.muster.operator.Operator;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.Precondition;
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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Operators and resource servers, with their rights to call the operator API. */
@Path("/api/v1/operators")
@ApplicationScoped
public class OperatorsResource {

    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}";
    private static final Duration OVERLAP = Duration.ofDays(1);
    private static final Duration MOST_OVERLAP = Duration.ofDays(30);

    @Inject
    Operators operators;

    @Inject
    Fleets fleets;

    @Inject
    @Ours
    Clock clock;

    @Inject
    Bearer bearer;

    /**
     * Lists operators in the order in which they were made, including revoked ones; {@code limit} and {@code cursor}
     * page.
     */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@Context HttpServletRequest request) {
        bearer.operator(request, Right.OPERATORS_WRITE);
        Query query = Query.of(request);
        // An operator's id has the form of a device's.
        Optional<String> after = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        return Replies.page("operators", operators.list(after, limit), limit, OperatorsResource::view, Operator::id);
    }

    /**
     * Creates an operator from {@code {"name": "...", "grants": [{"role": "viewer", "fleets": ["..."]}]}}; the reply
     * shows its token this once.
     */
    @POST
    public Response create(@Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> name = fields.text(
                "name",
                "1 to 64 letters, digits, blanks and . _ @ -, beginning with a letter or digit",
                text -> text.matches(NAME));
        name.filter(Operators::isLikeADevices)
                .ifPresent(text -> fields.fault(
                        "name",
                        "must not be 16 to 64 letters and digits and nothing else, as ids and keys of devices are"));
        GrantsBody wanted = GrantsBody.read(fields, fleets, clock.instant());
        fields.require("name");
        fields.check();
        Operators.Created created = operators
                .create(name.orElseThrow(), wanted.grants(), wanted.expiresAt(), by)
                .orElseThrow(() -> RegistryException.withDetail(
                        ProblemType.CONFLICT,
                        "the name is taken, or a broker may still have a connection of a revoked operator of"
                                + " this name"));
        return view(created).status(201).build();
    }

    /** Returns an operator. */
    @GET
    @Path("/{id}")
    public Response one(@Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.OPERATORS_WRITE);
        return one(found(id));
    }

    /** Replaces the grants and the expiry of an operator; with {@code If-Match}, only of the version that was read. */
    @PUT
    @Path("/{id}")
    public Response put(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        GrantsBody wanted = GrantsBody.read(fields, fleets, clock.instant());
        fields.check();
        if (by.id().equals(id)) {
            // As with its revocation: nobody else might be left.
            throw RegistryException.withDetail(ProblemType.CONFLICT, "an operator cannot change its own grants");
        }
        return one(operators.change(found(id).id(), wanted.grants(), wanted.expiresAt(), Precondition.of(request), by));
    }

    /** Gives an operator a new token. The caller must have all rights of that operator. */
    @POST
    @Path("/{id}/token")
    public Response replaceToken(@Context HttpServletRequest request, @PathParam("id") String id, InputStream body) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        Duration overlap = overlap(request, body);
        return view(operators.replaceToken(found(id).id(), overlap, by)).build();
    }

    /** Revokes an operator with its tokens; effective on this node at once, on others within two seconds. */
    @DELETE
    @Path("/{id}")
    public Response revoke(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        if (by.id().equals(id)) {
            // Otherwise the last operator could lock out everybody for good.
            throw RegistryException.withDetail(ProblemType.CONFLICT, "an operator cannot revoke itself");
        }
        operators.revoke(found(id).id(), by.name());
        return Response.noContent().build();
    }

    private Operator found(String id) {
        // An operator's id has the form of a device's.
        return Optional.of(id)
                .filter(DeviceId::isValid)
                .flatMap(operators::get)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, Operators.NO_SUCH_OPERATOR));
    }

    /** Reads how long the token before a new one works on. */
    static Duration overlap(HttpServletRequest request, InputStream body) {
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        Optional<Duration> overlap = fields.duration("overlap", Duration.ZERO, MOST_OVERLAP);
        fields.refuseNulls();
        fields.check();
        return overlap.orElse(OVERLAP);
    }

    static Response one(Operator operator) {
        return Replies.json(view(operator)).tag(tag(operator)).build();
    }

    static Response.ResponseBuilder view(Operators.Created created) {
        Map<String, Object> view = view(created.operator());
        view.put("token", created.token());
        return Replies.json(view).tag(tag(created.operator()));
    }

    private static EntityTag tag(Operator operator) {
        return new EntityTag(Long.toString(operator.version()));
    }

    /** Returns an operator for the wire. */
    public static Map<String, Object> view(Operator operator) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", operator.id());
        view.put("name", operator.name());
        view.put("grants", operator.grants().stream().map(Grant::toJson).toList());
        view.put("rights", operator.rights().stream().map(Right::word).sorted().toList());
        view.put("active", operator.active());
        view.put("createdAt", operator.createdAt());
        operator.expiresAt().ifPresent(end -> view.put("expiresAt", end));
        operator.lastUsedAt().ifPresent(at -> view.put("lastUsedAt", at));
        return view;
    }
}
