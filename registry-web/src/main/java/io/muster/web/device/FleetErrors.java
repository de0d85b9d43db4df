// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.muster.api.Problem;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleets;
import io.muster.fleet.Wire;
import io.muster.json.Json;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.ext.Provider;
import java.util.Optional;

/** Adds a member to every error of a registration: the one in which the fleet's firmware looks for a sentence. */
@Provider
public class FleetErrors implements ContainerResponseFilter {

    private static final String FLEETS = "/fleets/";
    private static final String REGISTER = "/register";

    // The server may create a provider before the registry runs.
    @Inject
    jakarta.inject.Provider<Fleets> fleets;

    @Override
    public void filter(ContainerRequestContext request, ContainerResponseContext response) {
        if (response.getStatus() < 400
                || !(response.getEntity() instanceof byte[] body)
                || !String.valueOf(response.getMediaType()).startsWith(Problem.MEDIA_TYPE)) {
            return;
        }
        byte[] shaped = shaped(body, request.getUriInfo().getPath(), fleets.get());
        if (shaped != body) {
            response.setEntity(shaped);
        }
    }

    /**
     * Returns a problem in the form for the firmware of a fleet. Returns it unchanged if the path is not that of a
     * registration, or the fleet adds nothing.
     *
     * @param requested the path below the root; of a registration that failed early, the fleet's own route
     */
    public static byte[] shaped(byte[] problem, String requested, Fleets fleets) {
        // Some servers leave the slash out.
        String path = requested.startsWith("/") ? requested : "/" + requested;
        // As it was last read. The error may be that the database is unreachable, and asking it would take as long
        // again.
        return registersIn(path)
                .or(() -> fleets.lastRoute(path))
                .flatMap(fleets::lastWire)
                .flatMap(Wire::error)
                .map(member -> withSentence(problem, member))
                .orElse(problem);
    }

    private static Optional<String> registersIn(String path) {
        if (path.equals(REGISTER)) {
            return Optional.of(MusterConfig.DEFAULT_FLEET);
        }
        return path.startsWith(FLEETS) && path.endsWith(REGISTER) && path.length() > FLEETS.length() + REGISTER.length()
                ? Optional.of(path.substring(FLEETS.length(), path.length() - REGISTER.length()))
                : Optional.empty();
    }

    static byte[] withSentence(byte[] problem, String member) {
        ObjectNode members = (ObjectNode) Json.parse(problem);
        members.put(member, sentence(members));
        return Json.bytes(members);
    }

    private static String sentence(JsonNode problem) {
        String title = problem.path("title").asText();
        JsonNode fault = problem.path("errors").path(0);
        if (fault.isObject()) {
            String pointer = fault.path("pointer").asText();
            return title + ": " + (pointer.equals("#") ? "" : pointer + " ")
                    + fault.path("detail").asText();
        }
        return problem.path("detail").asText(title);
    }
}
