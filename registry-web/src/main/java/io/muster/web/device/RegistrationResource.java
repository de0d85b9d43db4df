package io.muster.web.device;

import io.muster.Registry;
import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.fleet.Wire;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt;
import io.muster.registration.RegistrationReply;
import io.muster.web.Bodies;
import io.muster.web.Origin;
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
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** Where a device presents its serial. Public. */
@Path("/")
@InTurn
@ApplicationScoped
public class RegistrationResource {

    private static final String CLIENT_CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    private static final Semaphore WAITING = new Semaphore(24);

    @Inject
    Registry registry;

    @Inject
    ClientAuthentication clients;

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
        RegistrationAttempt attempt = RegistrationBody.parse(
                Bodies.read(request, body, Bodies.JSON),
                wire,
                fleet,
                Origin.of(request),
                clientCertificates(request),
                request.getHeader(HttpHeaders.AUTHORIZATION) != null,
                assertion -> clients.registering(request, assertion));
        // Not before the body is there: who lets it trickle would else have waited already.
        long started = System.nanoTime();
        try {
            return answer(wire, registry.registrar().register(attempt));
        } catch (RegistryException e) {
            if (e.type() != ProblemType.REGISTRATION_REFUSED) {
                throw e;
            }
            waitAsLongAsOthers(e, started);
            return Problems.response(
                            e.type(), registry.config().registration().refusedStatus(), null, List.of(), e.getMessage())
                    .build();
        }
    }

    /** Every refusal takes the same time, so that the time does not tell unknown from taken, and neither from blocked. */
    private void waitAsLongAsOthers(RegistryException refusal, long started) {
        long floor = registry.config().registration().refusedAfter().toNanos();
        // Up to half as much again by chance, which drowns what a thread that slept longer takes longer to wake up.
        long shortest = floor + (floor == 0 ? 0 : ThreadLocalRandom.current().nextLong(floor / 2 + 1));
        // And no less than one for which every verifier was asked.
        long longer = refusal.least().toNanos();
        if (longer <= shortest) {
            wait(shortest, started);
            return;
        }
        // No more at once than may ask a slow verifier, or blocked serials would hold the threads that it may not.
        if (!WAITING.tryAcquire()) {
            throw new RegistryException(ProblemType.VERIFICATION_UNAVAILABLE, "too many refusals wait at once");
        }
        try {
            wait(longer, started);
        } finally {
            WAITING.release();
        }
    }

    private static void wait(long least, long started) {
        for (long left = least; left > 0; left = least - (System.nanoTime() - started)) {
            // In a loop, because parking may end early, and does where the server's threads are parked for other
            // reasons.
            LockSupport.parkNanos(left);
        }
    }

    /** Answers with what a device is told, or with what only that device can read (RFC 7515 section 9.2.1). */
    static Response answer(Wire wire, RegistrationReply reply) {
        Response.ResponseBuilder response = reply instanceof RegistrationReply.Sealed sealed
                ? Response.ok(sealed.jwe().getBytes(StandardCharsets.US_ASCII), "application/jose")
                : Response.ok(wire.body(((RegistrationReply.Plain) reply).receipt()), MediaType.APPLICATION_JSON);
        return response.header(HttpHeaders.CACHE_CONTROL, "no-store").build();
    }

    /** The server's word alone: a header that claims a certificate is anybody's. */
    static List<X509Certificate> clientCertificates(HttpServletRequest request) {
        return request.isSecure() && request.getAttribute(CLIENT_CERTIFICATES) instanceof X509Certificate[] chain
                ? List.of(chain)
                : List.of();
    }
}
