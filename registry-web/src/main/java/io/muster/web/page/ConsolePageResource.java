// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.operator.OperatorSessions;
import io.muster.problem.RegistryException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.Optional;

/**
 * The console: files for the browser, which does the rest through the operators' requests. They hold nothing of the registry, so
 * everybody may read them. All addresses in them are relative, so that the console works below a proxy's path too.
 */
@Path(OperatorSessions.CONSOLE)
@ApplicationScoped
public class ConsolePageResource {

    private static final String INDEX = "index.html";

    @Inject
    MusterConfig config;

    private final PageFiles files = new PageFiles("/console/");

    /** Returns the console itself. */
    @GET
    public Response index(@Context HttpServletRequest request) {
        if (request.getRequestURI().endsWith("/")) {
            // Relative addresses would begin one level too low.
            return Response.status(Response.Status.MOVED_PERMANENTLY)
                    .location(URI.create(config.address(OperatorSessions.CONSOLE)))
                    .build();
        }
        return files.find(INDEX).orElseThrow().answer(request);
    }

    /** Returns a file that the console consists of. */
    @GET
    @Path("/{file: (?:[a-z0-9-]+/)*[a-z0-9-]+[.][a-z]+}")
    public Response file(@Context HttpServletRequest request, @PathParam("file") String file) {
        return Optional.of(file)
                .filter(name -> !name.equals(INDEX))
                .flatMap(files::find)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no file of the console"))
                .answer(request);
    }
}
