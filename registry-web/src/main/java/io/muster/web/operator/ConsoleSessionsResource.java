// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.operator.Operator;
import io.muster.operator.OperatorSessions;
import io.muster.operator.OperatorSessions.Listed;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The sessions of all operators at the console. */
@Path("/api/v1/console-sessions")
@ApplicationScoped
public class ConsoleSessionsResource {

    @Inject
    OperatorSessions sessions;

    @Inject
    Bearer bearer;

    /** Lists sessions in the order in which they began; {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"limit", "cursor"})
    public Response list(@Context HttpServletRequest request) {
        bearer.operator(request, Right.OPERATORS_WRITE);
        Query query = Query.of(request);
        // The id of a session has the form of a device's.
        Optional<String> after = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        return Replies.page("sessions", sessions.list(after, limit), limit, ConsoleSessionsResource::view, Listed::id);
    }

    /** Ends the sessions and links of all operators. */
    @DELETE
    public Response endAll(@Context HttpServletRequest request) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        return ended(sessions.endAll(Optional.empty(), by));
    }

    /** Ends the sessions and links of an operator, by the operator's id. */
    @DELETE
    @Path("/{id}")
    public Response endAllOf(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, Operators.NO_SUCH_OPERATOR);
        }
        return ended(sessions.endAll(Optional.of(id), by));
    }

    private static Response ended(int count) {
        return Replies.json(Map.of("ended", count)).build();
    }

    private static Map<String, Object> view(Listed session) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", session.id());
        view.put("operator", session.operator());
        view.put("name", session.name());
        view.put("link", session.link());
        view.put("active", session.active());
        view.put("createdAt", session.createdAt());
        view.put("lastUsedAt", session.usedAt());
        view.put("expiresAt", session.expiresAt());
        return view;
    }
}
