package io.muster.web.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.Registry;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.fleet.Fleet;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.operator.Operator;
import io.muster.operator.RegistrationTokens;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.verification.jwt.RegistrationTokenSigner;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
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
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Registration tokens, for operators. */
@Path("/api/v1/fleets/{fleet}/registration-tokens")
@ApplicationScoped
public class RegistrationTokensResource {

    private static final Set<String> MEMBERS = Set.of("verifier", "serial", "url", "expiresIn");
    private static final int LONGEST_URL = 1000;
    private static final Duration LONGEST = Duration.ofDays(36_500);

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Makes a token from {@code {"verifier", "serial", "url", "expiresIn"}}, all optional; the reply shows it this once. */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.KEYS_WRITE);
        Fleet fleet = registry.fleets()
                .find(fleetName)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such fleet"));
        RegistrationTokenSigner.Signed signed = registry.registrationTokens()
                .create(fleet, wish(Bodies.read(request, body, Bodies.JSON)), operator.name());
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("token", signed.token());
        signed.expiresAt().ifPresent(at -> view.put("expiresAt", at));
        return Response.status(201)
                .type(MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .entity(Json.bytes(view))
                .build();
    }

    static RegistrationTokens.Wish wish(byte[] body) {
        JsonNode node;
        try {
            node = Json.parse(body);
        } catch (MalformedJsonException e) {
            throw RegistryException.invalid(List.of(new Fault("#", e.getMessage())));
        }
        if (!node.isObject()) {
            throw RegistryException.invalid(List.of(new Fault("#", "must be an object")));
        }
        List<Fault> faults = new ArrayList<>();
        node.fieldNames().forEachRemaining(member -> {
            if (!MEMBERS.contains(member)) {
                faults.add(new Fault("#", "unknown member; members are verifier, serial, url and expiresIn"));
            }
        });
        RegistrationTokens.Wish wish = new RegistrationTokens.Wish(
                read(node, "verifier", "a verifier's name", Optional::of, faults),
                read(
                        node,
                        "serial",
                        SerialNumber.SYNTAX,
                        text -> Optional.of(text).filter(SerialNumber::isValid).map(SerialNumber::new),
                        faults),
                read(node, "url", "an http or https address", RegistrationTokensResource::address, faults),
                read(
                        node,
                        "expiresIn",
                        "a duration such as P1D, at least PT1S",
                        RegistrationTokensResource::lifetime,
                        faults));
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        return wish;
    }

    private static <T> Optional<T> read(
            JsonNode node, String member, String expected, Function<String, Optional<T>> meaning, List<Fault> faults) {
        JsonNode value = node.path(member);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        Optional<T> read = value.isTextual() ? meaning.apply(value.textValue()) : Optional.empty();
        if (read.isEmpty()) {
            faults.add(new Fault("#/" + member, "must be " + expected));
        }
        return read;
    }

    private static Optional<URI> address(String text) {
        try {
            URI uri = new URI(text);
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            return web && uri.getHost() != null && uri.getRawUserInfo() == null && text.length() <= LONGEST_URL
                    ? Optional.of(uri)
                    : Optional.empty();
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private static Optional<Duration> lifetime(String text) {
        try {
            return Optional.of(Duration.parse(text))
                    .filter(given -> given.toSeconds() >= 1 && given.compareTo(LONGEST) <= 0);
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }
}
