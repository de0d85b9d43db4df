package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleet;
import io.muster.json.Json;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.operator.SerialImport;
import io.muster.problem.RegistryException;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.RequestScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;

/** Expected serials, for operators. */
@Path("/api/v1/fleets/{fleet}/serials")
@RequestScoped
public class SerialsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Imports expected serials from CSV or JSON; good rows are kept, each bad one is named. */
    @POST
    public Response add(@PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE);
        Fleet fleet = registry.fleets()
                .find(fleetName)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such fleet"));
        InputStream in =
                Bodies.capped(request, body, registry.config().imports().maxSize());
        SerialImport.Result result;
        if (Bodies.is(request, "text/csv")) {
            result = registry.serialImport().csv(fleet, in, operator.name());
        } else if (Bodies.is(request, Bodies.JSON)) {
            result = registry.serialImport().json(fleet, in, operator.name());
        } else {
            throw RegistryException.withDetail(ProblemType.UNSUPPORTED_MEDIA_TYPE, "send text/csv or application/json");
        }
        return Response.ok(Json.bytes(result), MediaType.APPLICATION_JSON).build();
    }
}
