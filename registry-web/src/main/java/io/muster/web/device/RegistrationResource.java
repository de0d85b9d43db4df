package io.muster.web.device;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.config.MusterConfig;
import io.muster.fleet.Wire;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.web.Bodies;
import io.muster.web.Problems;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** Where a device presents its serial. Public. */
@Path("/")
@ApplicationScoped
public class RegistrationResource {

    private static final String CLIENT_CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    @Inject
    Registry registry;

    /** Registers in the fleet {@code default}. */
    @POST
    @Path("register")
    public Response register(@Context HttpServletRequest request, InputStream body) {
        return register(MusterConfig.DEFAULT_FLEET, request, body);
    }

    /** Registers in a fleet. */
    @POST
    @Path("fleets/{fleet}/register")
    public Response register(@PathParam("fleet") String fleet, @Context HttpServletRequest request, InputStream body) {
        Wire wire = registry.fleets()
                .find(fleet)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such fleet"))
                .document()
                .wire();
        Candidate candidate = RegistrationBody.parse(
                Bodies.read(request, body, Bodies.JSON),
                wire,
                fleet,
                request.getRemoteAddr(),
                clientCertificates(request));
        // Not before the body is there: who lets it trickle would else have waited already.
        long started = System.nanoTime();
        try {
            RegistrationReceipt receipt = registry.registrar().register(candidate);
            return Response.ok(Json.bytes(reply(wire, receipt)), MediaType.APPLICATION_JSON)
                    .header(HttpHeaders.CACHE_CONTROL, "no-store")
                    .build();
        } catch (RegistryException e) {
            if (e.type() != ProblemType.REGISTRATION_REFUSED) {
                throw e;
            }
            // Every refusal takes the same time, so that the time does not tell unknown from taken.
            long floor = registry.config().registration().refusedAfter().toNanos();
            // Up to half as much again by chance, which drowns what a thread that slept longer takes longer to wake up.
            long shortest =
                    floor + (floor == 0 ? 0 : ThreadLocalRandom.current().nextLong(floor / 2 + 1));
            // And no less than one for which every verifier was asked, so that it does not tell blocked either.
            long least = Math.max(shortest, e.least().toNanos());
            for (long left = least; left > 0; left = least - (System.nanoTime() - started)) {
                // In a loop, because parking may end early, and does where the server's threads are parked for other
                // reasons.
                LockSupport.parkNanos(left);
            }
            return Problems.response(
                            e.type(), registry.config().registration().refusedStatus(), null, List.of(), e.getMessage())
                    .build();
        }
    }

    private static Object reply(Wire wire, RegistrationReceipt receipt) {
        if (wire.reply().isEmpty()) {
            return receipt;
        }
        JsonNode whole = Json.parse(Json.bytes(receipt));
        Map<String, JsonNode> renamed = new LinkedHashMap<>();
        wire.reply().forEach((name, member) -> {
            if (whole.has(member)) {
                renamed.put(name, whole.get(member));
            }
        });
        return Json.object(renamed);
    }

    /** The server's word alone: a header that claims a certificate is anybody's. */
    static List<X509Certificate> clientCertificates(HttpServletRequest request) {
        return request.isSecure() && request.getAttribute(CLIENT_CERTIFICATES) instanceof X509Certificate[] chain
                ? List.of(chain)
                : List.of();
    }
}
