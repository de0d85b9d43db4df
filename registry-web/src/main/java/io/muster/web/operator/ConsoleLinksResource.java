// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.config.MusterConfig;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.OperatorSessions;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/** Links that sign an operator in at the console once. */
@Path("/api/v1/console-links")
@ApplicationScoped
public class ConsoleLinksResource {

    @Inject
    OperatorSessions sessions;

    @Inject
    MusterConfig config;

    @Inject
    Bearer bearer;

    /** Makes a link for the operator who asks. The code is in the fragment, which no log has. */
    @POST
    public Response make(@Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request);
        Fields fields = Fields.of(Bodies.optional(request, body, Bodies.JSON));
        fields.check();
        OperatorSessions.Begun link = sessions.link(by, Bearer.session(request), Bearer.presented(request));
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("url", config.address(OperatorSessions.CONSOLE) + "#code=" + link.text());
        view.put("expiresAt", link.expiresAt());
        return Replies.json(view).status(Response.Status.CREATED).build();
    }
}
