// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.fleet.Fleet;
import io.muster.fleet.FleetDocument;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.registration.Registrar;
import io.muster.registration.TemplatePreview;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.verification.SerialForm;
import io.muster.verification.list.Spellings;
import io.muster.verification.policy.Explanation;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.Origin;
import io.muster.web.Precondition;
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
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Fleets, for operators: their rules, and what would happen to a serial. */
@Path("/api/v1/fleets")
@ApplicationScoped
public class FleetsResource {

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    Registrar registrar;

    @Inject
    Spellings spellings;

    @Inject
    TemplatePreview templates;

    @Inject
    Bearer bearer;

    /** Lists fleets with their documents: all of them, or only those that are archived or not. */
    @GET
    @QueryNames("archived")
    public Response list(@Context HttpServletRequest request) {
        Operator operator = bearer.operatorSomewhere(request, Right.FLEETS_READ);
        Query query = Query.of(request);
        Optional<Boolean> archived = query.get("archived", "true or false", text -> Optional.of(text)
                .filter(List.of("true", "false")::contains)
                .map(Boolean::valueOf));
        query.check();
        return Replies.json(Map.of(
                        "fleets",
                        fleets.list().stream()
                                .filter(fleet -> operator.may(Right.FLEETS_READ, fleet.name()))
                                .filter(fleet -> archived.map(wanted ->
                                                wanted == fleet.document().archived())
                                        .orElse(true))
                                .map(FleetsResource::view)
                                .toList()))
                .build();
    }

    /**
     * Returns a fleet's document. Use its entity tag in {@code If-Match} of the replacement. With the tag in
     * {@code If-None-Match}, an unchanged document is not sent again.
     */
    @GET
    @Path("/{fleet}")
    public Response one(@PathParam("fleet") String name, @Context HttpServletRequest request) {
        bearer.operator(request, Right.FLEETS_READ, name);
        Fleet fleet = fleets.get(name);
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
     * Creates a fleet or replaces its whole document; members left out get their defaults. With {@code If-Match},
     * replaces only the version that was read. With {@code If-None-Match: *}, only creates. Effective on this node at
     * once, on others within two seconds. The reply has {@code warnings} about settings that are permitted but hardly
     * intended.
     */
    @PUT
    @Path("/{fleet}")
    public Response put(@PathParam("fleet") String name, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.FLEETS_WRITE, name);
        if (!Settings.isName(name)) {
            throw RegistryException.invalid(List.of(new Fault(
                    "#", "a fleet's name is 1 to 64 lower-case letters, digits and dashes, beginning with a letter")));
        }
        Fleet fleet =
                fleets.put(name, Bodies.read(request, body, Bodies.JSON), Precondition.of(request), operator.name());
        Map<String, Object> view = view(fleet);
        List<String> warnings = fleets.warnings(fleet);
        if (!warnings.isEmpty()) {
            view.put("warnings", warnings);
        }
        return Replies.json(view)
                .status(fleet.version() == 1 ? 201 : 200)
                .tag(tag(fleet))
                .build();
    }

    /**
     * Tells what would happen to {@code {"serial": "...", "evidence": {...}, "binding": "..."}} now, and why. The reply has each
     * verifier's answer and duration, the rule that decides, and whether the device would be new. It also has listed
     * serials that differ only in spelling. Changes nothing.
     */
    @POST
    @Path("/{fleet}/explain")
    public Response explain(@PathParam("fleet") String name, @Context HttpServletRequest request, InputStream body) {
        bearer.operator(request, Right.FLEETS_READ, name);
        Fleet fleet = fleets.get(name);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        SerialForm form = fleet.document().serials();
        Optional<SerialNumber> serial = fields.meaning("serial", form.syntax(), form::of);
        fields.require("serial");
        if (serial.isEmpty()) {
            fields.text("serial")
                    .map(text -> spellings.listed(fleet.name(), text))
                    .filter(listed -> !listed.isEmpty())
                    .ifPresent(listed ->
                            fields.fault("serial", "spelled otherwise, it is listed: " + String.join(", ", listed)));
        }
        Optional<Map<String, Object>> evidence = fields.any("evidence");
        Optional<String> binding = ApprovalsResource.binding(fields);
        fields.check();
        Candidate candidate = new Candidate(
                serial.orElseThrow(),
                fleet.name(),
                Optional.empty(),
                evidence.orElse(Map.of()),
                List.of(),
                Origin.of(request, config.trustedProxies()),
                binding);
        Map<String, Object> view = view(candidate.serial(), registrar.explain(candidate));
        List<String> listed = spellings.listed(fleet.name(), candidate.serial().value());
        if (!listed.isEmpty()) {
            view.put("listedAs", listed);
        }
        return Replies.json(view).build();
    }

    /**
     * Shows what the fleet's template gives the device with a serial, without writing. With {@code "document"}, shows
     * it for that document, which need not be stored, nor its fleet. The rest of the body counts before the list of
     * serials and before the device that has the serial. An operator who may not read these gets nothing of them.
     */
    @POST
    @Path("/{fleet}/preview")
    public Response preview(@PathParam("fleet") String name, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.FLEETS_READ, name);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        FleetDocument document = fields.object("document")
                .map(members -> fleets.read(members, name))
                .orElseGet(() -> fleets.get(name).document());
        SerialForm form = document.serials();
        Optional<SerialNumber> serial = fields.meaning("serial", form.syntax(), form::of);
        fields.require("serial");
        Verdict.Genuine given = given(fields);
        fields.check();
        return Replies.json(templates.preview(
                        name,
                        document,
                        serial.orElseThrow(),
                        given,
                        operator.may(Right.SERIALS_READ, name),
                        operator.may(Right.DEVICES_READ, name)))
                .build();
    }

    private static Verdict.Genuine given(Fields fields) {
        Map<String, String> tags = new LinkedHashMap<>(
                fields.map("tags", Storable.MEMBER_NAME, Storable::isMemberName, "a text of a tag", text -> Optional.of(
                                        text)
                                .filter(tag -> Storable.tagFault(tag).isEmpty()))
                        .orElse(Map.of()));
        Map<String, Object> attributes = new LinkedHashMap<>();
        fields.object("attributes").ifPresent(members -> members.names().forEach(member -> {
            Optional<Object> value = members.scalar(member);
            if (!Storable.isMemberName(member)) {
                members.fault(member, "its name must be " + Storable.MEMBER_NAME);
            }
            value.flatMap(Storable::attributeFault).ifPresent(fault -> members.fault(member, fault));
            value.ifPresent(found -> attributes.put(member, found));
        }));
        fields.text("lot", "the name of a lot", text -> Storable.tagFault(text).isEmpty())
                .ifPresent(lot -> tags.put(DeviceTag.LOT, lot));
        Optional<String> name =
                fields.text("name", "a name", text -> Storable.nameFault(text).isEmpty());
        for (Map<String, ?> members : List.of(tags, attributes)) {
            Storable.membersFault(members)
                    .ifPresent(fault -> fields.fault(members == tags ? "tags" : "attributes", fault));
        }
        return fields.faults().isEmpty()
                ? new Verdict.Genuine(name, tags, attributes)
                : new Verdict.Genuine(Optional.empty(), Map.of(), Map.of());
    }

    private static Map<String, Object> view(SerialNumber serial, Registrar.Preview explanation) {
        Explanation verification = explanation.verification();
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("serial", serial.value());
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

    private static Map<String, Object> view(Explanation.Answer answer) {
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
        view.put("tookMillis", TimeUnit.NANOSECONDS.toMicros(answer.took().toNanos()) / 1000.0);
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
