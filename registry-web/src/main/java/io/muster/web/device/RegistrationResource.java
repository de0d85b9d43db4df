// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.fleet.FleetDocument;
import io.muster.fleet.Fleets;
import io.muster.fleet.Wire;
import io.muster.problem.RegistryException;
import io.muster.registration.EvenRefusals;
import io.muster.registration.Registrar;
import io.muster.registration.RegistrationAttempt;
import io.muster.registration.RegistrationReply;
import io.muster.web.Bearer;
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
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The endpoint where a device presents its serial. Public. */
@Path("/")
@WithRetrySlot
@ApplicationScoped
public class RegistrationResource {

    private static final String CLIENT_CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    EvenRefusals refusals;

    @Inject
    Registrar registrar;

    @Inject
    ClientAuthentication clients;

    /** Registers in the fleet {@code default}. */
    @POST
    @Path("register")
    public CompletionStage<Response> register(@Context HttpServletRequest request, InputStream body) {
        return register(MusterConfig.DEFAULT_FLEET, request, body);
    }

    /** Registers in a fleet. */
    @POST
    @Path("fleets/{fleet}/register")
    public CompletionStage<Response> register(
            @PathParam("fleet") String fleet, @Context HttpServletRequest request, InputStream body) {
        FleetDocument document = fleets.get(fleet).document();
        Wire wire = document.wire();
        byte[] bytes = Bodies.read(request, body, Bodies.JSON);
        // Not before the body is there. Otherwise a client that sends it slowly would have waited already.
        EvenRefusals.Watch watch = refusals.watch();
        Optional<String> bearer = wire.bearer().flatMap(name -> Bearer.presented(request));
        RegistrationAttempt attempt = RegistrationBody.parse(
                bytes,
                wire,
                document.serials(),
                fleet,
                Origin.of(request, config.trustedProxies()),
                clientCertificates(request),
                bearer,
                bearer.isEmpty() && request.getHeader(HttpHeaders.AUTHORIZATION) != null,
                assertion -> clients.registering(request, assertion));
        if (wire.bearer().isPresent()) {
            Bearer.challengeForUser(request);
        }
        try {
            RegistrationReply reply = registrar.register(attempt, watch);
            return CompletableFuture.completedFuture(
                    reply instanceof RegistrationReply.Pending pending ? pending(wire, pending) : answer(wire, reply));
        } catch (RegistryException e) {
            if (e.type() != ProblemType.REGISTRATION_REFUSED) {
                throw e;
            }
            int status =
                    wire.refusedStatus().orElseGet(() -> config.registration().refusedStatus());
            return watch.answer(Problems.response(e.type(), status, null, List.of(), e.getMessage())
                    .build());
        }
    }

    /** Tells the device to ask again: nothing was created. */
    private static Response pending(Wire wire, RegistrationReply.Pending pending) {
        byte[] body = wire.pending()
                .orElseThrow(() -> RegistryException.later(
                        ProblemType.VERIFICATION_UNAVAILABLE, "not decided yet", pending.retryAfter()));
        return Response.status(Response.Status.ACCEPTED)
                .entity(body)
                .type(MediaType.APPLICATION_JSON)
                .header(HttpHeaders.RETRY_AFTER, (pending.retryAfter().toMillis() + 999) / 1000)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    /** Answers with the receipt, or with the reply that only the device can read (RFC 7515 section 9.2.1). */
    static Response answer(Wire wire, RegistrationReply reply) {
        Response.ResponseBuilder response = reply instanceof RegistrationReply.Sealed sealed
                ? Response.ok(sealed.jwe().getBytes(StandardCharsets.US_ASCII), "application/jose")
                : Response.ok(wire.body(((RegistrationReply.Plain) reply).receipt()), MediaType.APPLICATION_JSON);
        return response.header(HttpHeaders.CACHE_CONTROL, "no-store").build();
    }

    /** Only the server's information counts: anybody can send a header that claims a certificate. */
    static List<X509Certificate> clientCertificates(HttpServletRequest request) {
        return request.isSecure() && request.getAttribute(CLIENT_CERTIFICATES) instanceof X509Certificate[] chain
                ? List.of(chain)
                : List.of();
    }
}
