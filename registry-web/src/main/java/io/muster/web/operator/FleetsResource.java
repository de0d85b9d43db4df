package io.muster.web.operator;

import io.muster.Registry;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.config.Settings;
import io.muster.fleet.Fleet;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.registration.Registrar;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.verification.VerifierPolicy;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.Origin;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Fleets: who may register, how, and what would happen to a serial. */
@Path("/api/v1/fleets")
@ApplicationScoped
public class FleetsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Lists all fleets with their documents. */
    @GET
    public Response list(@Context UriInfo uri, @Context HttpServletRequest request) {
        bearer.operator(request, Right.FLEETS_READ);
        new Query(uri, Set.of()).check();
        return Replies.json(Map.of(
                        "fleets",
                        registry.fleets().list().stream()
                                .map(FleetsResource::view)
                                .toList()))
                .build();
    }

    /**
     * Returns a fleet's document; its entity tag goes into {@code If-Match} of the replacement. With the tag in {@code
     * If-None-Match} a document that did not change is not sent again.
     */
    @GET
    @Path("/{fleet}")
    public Response one(@PathParam("fleet") String name, @Context UriInfo uri, @Context HttpServletRequest request) {
        bearer.operator(request, Right.FLEETS_READ);
        new Query(uri, Set.of()).check();
        Fleet fleet = registry.fleets().get(name);
        Precondition precondition = Precondition.of(request);
        if (!precondition.matches(fleet.version())) {
            throw new RegistryException(ProblemType.PRECONDITION_FAILED, "version " + fleet.version() + " is there");
        }
        if (!precondition.noneMatches(fleet.version())) {
            return Response.notModified(tag(fleet))
                    .header(HttpHeaders.CACHE_CONTROL, "no-store")
                    .build();
        }
        return Replies.json(view(fleet)).tag(tag(fleet)).build();
    }

    /**
     * Makes a fleet or replaces its document as a whole: what is left out is the default. With {@code If-Match} only the version
     * that was read is replaced, with {@code If-None-Match: *} nothing is. On this node at once, on others within two seconds.
     * The reply has {@code warnings} of what is allowed and hardly meant.
     */
    @PUT
    @Path("/{fleet}")
    public Response put(@PathParam("fleet") String name, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.FLEETS_WRITE);
        if (!Settings.isName(name)) {
            throw RegistryException.invalid(List.of(new Fault(
                    "#", "a fleet's name is 1 to 64 lower-case letters, digits and dashes, beginning with a letter")));
        }
        Fleet fleet = registry.fleets()
                .put(name, Bodies.read(request, body, Bodies.JSON), Precondition.of(request), operator.name());
        Map<String, Object> view = view(fleet);
        List<String> warnings = registry.fleets().warnings(fleet);
        if (!warnings.isEmpty()) {
            view.put("warnings", warnings);
        }
        return Replies.json(view)
                .status(fleet.version() == 1 ? 201 : 200)
                .tag(tag(fleet))
                .build();
    }

    /**
     * Tells what would happen to {@code {"serial": "...", "evidence": {...}}} now, and why: what each verifier says and how long
     * it takes, which rule decides, and whether the device would be new. Changes nothing.
     */
    @POST
    @Path("/{fleet}/explain")
    public Response explain(@PathParam("fleet") String name, @Context HttpServletRequest request, InputStream body) {
        bearer.operator(request, Right.FLEETS_READ);
        Fleet fleet = registry.fleets().get(name);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        Optional<String> serial = fields.text("serial", SerialNumber.SYNTAX, SerialNumber::isValid);
        fields.require("serial");
        Optional<Map<String, Object>> evidence = fields.any("evidence");
        fields.check();
        Candidate candidate = new Candidate(
                new SerialNumber(serial.orElseThrow()),
                fleet.name(),
                Optional.empty(),
                evidence.orElse(Map.of()),
                List.of(),
                Origin.of(request));
        return Replies.json(view(registry.registrar().explain(candidate))).build();
    }

    private static Map<String, Object> view(Registrar.Explanation explanation) {
        VerifierPolicy.Explanation verification = explanation.verification();
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("decision", verification.decision());
        view.put("rule", verification.rule());
        view.put("reason", verification.reason());
        view.put(
                "verifiers",
                verification.answers().stream().map(FleetsResource::view).toList());
        Map<String, Object> registration = new LinkedHashMap<>();
        registration.put("outcome", explanation.registration().outcome());
        if (!explanation.registration().reason().isEmpty()) {
            registration.put("reason", explanation.registration().reason());
        }
        explanation.registration().deviceId().ifPresent(id -> registration.put("deviceId", id));
        view.put("registration", registration);
        return view;
    }

    private static Map<String, Object> view(VerifierPolicy.Answer answer) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("verifier", answer.verifier());
        if (answer.shadow()) {
            view.put("shadow", true);
        }
        view.put("verdict", answer.verdict());
        if (!answer.reason().isEmpty()) {
            view.put("reason", answer.reason());
        }
        answer.known().ifPresent(known -> {
            known.name().ifPresent(text -> view.put("name", text));
            view.put("tags", known.tags());
            view.put("attributes", known.attributes());
        });
        view.put("tookMillis", answer.took().toNanos() / 1000 / 1000.0);
        return view;
    }

    private static Map<String, Object> view(Fleet fleet) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("name", fleet.name());
        view.putAll(fleet.document().toJson());
        return view;
    }

    private static EntityTag tag(Fleet fleet) {
        return new EntityTag(Long.toString(fleet.version()));
    }
}
