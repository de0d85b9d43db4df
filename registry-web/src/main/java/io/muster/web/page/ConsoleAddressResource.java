// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import io.muster.config.MusterConfig;
import io.muster.operator.OperatorSessions;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.net.URI;

/** The address of the console that people remember. It leads to the one that every server has. */
@Path("/console")
@ApplicationScoped
public class ConsoleAddressResource {

    @Inject
    MusterConfig config;

    /** Leads to the console. Browsers keep the fragment, so that addresses of views work here too. */
    @GET
    public Response lead() {
        return SignInResource.to(URI.create(config.address(OperatorSessions.CONSOLE)))
                .build();
    }
}
