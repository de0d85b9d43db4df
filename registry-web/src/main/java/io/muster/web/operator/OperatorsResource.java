// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Operators and resource servers, with their rights to call the operator API. */
@Path("/api/v1/operators")
@ApplicationScoped
public class OperatorsResource {

    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}";
    private static final String RIGHTS =
            String.join(", ", Stream.of(Right.values()).map(Right::word).toList());

    @Inject
    Operators operators;

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
     * Creates an operator from {@code {"name": "...", "rights": ["introspect"]}}; the reply shows its token this once.
     */
    @POST
    public Response create(@Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> name = fields.text(
                "name",
                "1 to 64 letters, digits, blanks and . _ @ -, beginning with a letter or digit",
                text -> text.matches(NAME));
        Optional<List<Right>> rights = fields.meanings(
                "rights", "an array of at least one right", size -> size > 0, "one of " + RIGHTS, Right::of);
        name.filter(Operators::isLikeADevices)
                .ifPresent(text -> fields.fault(
                        "name",
                        "must not be 16 to 64 letters and digits and nothing else, as ids and keys of devices are"));
        fields.require("name", "rights");
        fields.check();
        Operators.Created created = operators
                .create(name.orElseThrow(), EnumSet.copyOf(rights.orElseThrow()), by.name())
                .orElseThrow(() -> RegistryException.withDetail(
                        ProblemType.CONFLICT,
                        "the name is taken, or a broker may still have a connection of a revoked operator of"
                                + " this name"));
        Map<String, Object> view = view(created.operator());
        view.put("token", created.token());
        return Replies.json(view).status(201).build();
    }

    /** Revokes an operator's token; effective on this node at once, on others within two seconds. */
    @DELETE
    @Path("/{id}")
    public Response revoke(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        if (by.id().equals(id)) {
            // Otherwise the last operator could lock out everybody for good.
            throw RegistryException.withDetail(ProblemType.CONFLICT, "an operator cannot revoke itself");
        }
        if (!DeviceId.isValid(id) || !operators.revoke(id, by.name())) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such operator");
        }
        return Response.noContent().build();
    }

    private static Map<String, Object> view(Operator operator) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", operator.id());
        view.put("name", operator.name());
        view.put("rights", operator.rights().stream().map(Right::word).sorted().toList());
        view.put("active", operator.active());
        view.put("createdAt", operator.createdAt());
        return view;
    }
}
