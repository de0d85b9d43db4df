// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.registration.Allowances;
import io.muster.registration.Allowances.Allowance;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Permissions for serials to register once more, for operators. */
@Path("/api/v1/fleets/{fleet}/allowances")
@ApplicationScoped
public class AllowancesResource {

    @Inject
    @Ours
    Clock clock;

    @Inject
    Fleets fleets;

    @Inject
    Allowances allowances;

    @Inject
    Bearer bearer;

    /**
     * Permits each of {@code {"serials": ["..."], "reason": "...", "notBefore": ..., "notAfter": ...}} to register once
     * more, all or none. By default the window is one day from now.
     */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Fields fields = Fields.of(Bodies.read(request, body, Bodies.JSON));
        List<String> serials = Members.serials(fields, fleet.document().serials());
        Optional<String> reason = Members.reason(fields);
        fields.require(Members.REASON);
        OrderBody.Window window = OrderBody.window(fields, clock);
        if (window.notAfter().isAfter(window.notBefore().plus(Duration.ofDays(Allowances.MOST_DAYS)))) {
            fields.fault("notAfter", "must be at most " + Allowances.MOST_DAYS + " days after notBefore");
        }
        fields.refuseNulls();
        fields.check();
        List<Allowance> made = allowances.create(
                fleet.name(),
                serials.stream().distinct().map(SerialNumber::new).toList(),
                window.notBefore(),
                window.notAfter(),
                reason.orElseThrow(),
                operator.name());
        return Replies.json(Map.of("allowances", made.stream().map(this::view).toList()))
                .status(201)
                .build();
    }

    /** Lists allowances, the oldest first; {@code serial} filters, {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"serial", "limit", "cursor"})
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.DEVICES_READ, fleetName);
        Fleet fleet = fleets.get(fleetName);
        SerialForm form = fleet.document().serials();
        Query query = Query.of(request);
        Optional<String> serial =
                query.get("serial", form.syntax(), text -> form.of(text).map(SerialNumber::value));
        Optional<String> after = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        return Replies.page(
                "allowances", allowances.list(fleet.name(), serial, after, limit), limit, this::view, Allowance::id);
    }

    /** Revokes an allowance, and the unused credential that was issued with it. */
    @DELETE
    @Path("/{id}")
    public Response revoke(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        Operator operator = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        String fleet = fleets.get(fleetName).name();
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such allowance");
        }
        allowances.revoke(fleet, id, operator.name());
        return Response.noContent().build();
    }

    private Map<String, Object> view(Allowance allowance) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", allowance.id());
        view.put("serial", allowance.serial());
        view.put("state", allowance.state(clock.instant()).name().toLowerCase(Locale.ROOT));
        view.put(Members.REASON, allowance.reason());
        view.put("operator", allowance.operator());
        view.put("notBefore", allowance.notBefore());
        view.put("notAfter", allowance.notAfter());
        allowance.givenKey().ifPresent(key -> view.put("key", key));
        allowance.givenAt().ifPresent(at -> view.put("givenAt", at));
        allowance.spentAt().ifPresent(at -> view.put("spentAt", at));
        allowance.revokedAt().ifPresent(at -> view.put("revokedAt", at));
        return view;
    }
}
