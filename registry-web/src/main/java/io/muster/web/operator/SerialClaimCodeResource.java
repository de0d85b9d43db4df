// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.ownership.LabelCodes;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.web.Accepted;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.label.Label;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the claim code of one label. It is in the reply and nowhere else. */
@Path("/api/v1/fleets/{fleet}/serials/{serial}/claim-code")
@ApplicationScoped
public class SerialClaimCodeResource {

    private static final MediaType JSON = MediaType.APPLICATION_JSON_TYPE;
    private static final MediaType PNG = new MediaType("image", "png");
    private static final MediaType SVG = new MediaType("image", "svg+xml");

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    LabelCodes labelCodes;

    @Inject
    Bearer bearer;

    /** Makes a code for one serial. Answers with JSON, or with the code as a picture. */
    @POST
    public Response one(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @Context HttpHeaders headers,
            @PathParam("serial") String text,
            InputStream body) {
        Operator operator = bearer.operator(request, Right.SERIALS_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        Fields.of(Bodies.optional(request, body, Bodies.JSON)).check();
        String serial = fleet.document()
                .serials()
                .of(text)
                .map(SerialNumber::value)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such serial"));
        MediaType type = Accepted.of(headers, JSON, SVG, PNG);
        ClaimCodesResource.requireCodes(fleet);
        labelCodes.ordered(fleet.name(), serial, "for a label", operator.name());
        Label label = Label.of(
                config.issuer(),
                serial,
                labelCodes.make(fleet.name(), List.of(serial)).get(serial).text());
        Object entity = type.equals(JSON)
                ? json(label)
                : type.equals(SVG) ? label.picture().svg() : label.picture().png();
        return ClaimCodesResource.secret(entity, type).build();
    }

    private static byte[] json(Label label) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("serial", label.serial());
        json.put("code", label.code());
        json.put("url", label.url());
        return Json.bytes(json);
    }
}
