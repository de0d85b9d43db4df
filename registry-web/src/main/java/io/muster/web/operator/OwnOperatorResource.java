// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.operator.Operator;
import io.muster.operator.Operators;
import io.muster.problem.RegistryException;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Duration;

/** The operator who asks. Needs no right. */
@Path("/api/v1/me")
@ApplicationScoped
public class OwnOperatorResource {

    @Inject
    Operators operators;

    @Inject
    Bearer bearer;

    /** Returns the operator who asks. */
    @GET
    public Response me(@Context HttpServletRequest request) {
        return OperatorsResource.one(bearer.operator(request));
    }

    /**
     * Gives the operator who asks a new token, which the reply shows this once. The token before works on for
     * {@code overlap}, by default a day, and cannot be exchanged again.
     */
    @POST
    @Path("/token")
    public Response replaceToken(@Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request);
        Duration overlap = OperatorsResource.overlap(request, body);
        String token = Bearer.presented(request)
                .filter(Operators::isToken)
                .orElseThrow(() -> RegistryException.withDetail(
                        ProblemType.CONFLICT, "only a token of this registry can be replaced, and with it alone"));
        return OperatorsResource.view(operators.replaceToken(by, token, overlap))
                .build();
    }
}
