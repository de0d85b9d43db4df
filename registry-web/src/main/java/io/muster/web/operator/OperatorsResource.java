package io.muster.web.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.Registry;
import io.muster.api.Problem.Fault;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.operator.Operator;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
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
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Operators and resource servers: who may call the operator API, and what for. */
@Path("/api/v1/operators")
@ApplicationScoped
public class OperatorsResource {

    @Inject
    Registry registry;

    @Inject
    Bearer bearer;

    /** Lists all operators, revoked ones among them. */
    @GET
    public Response list(@Context HttpServletRequest request) {
        bearer.operator(request, Right.OPERATORS_WRITE);
        return json(
                200,
                Map.of(
                        "operators",
                        registry.operators().list().stream()
                                .map(OperatorsResource::view)
                                .toList()));
    }

    /** Makes an operator from {@code {"name": "...", "rights": ["introspect"]}}; the reply shows its token this once. */
    @POST
    public Response create(@Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        JsonNode node = parse(Bodies.read(request, body, Bodies.JSON));
        List<Fault> faults = new ArrayList<>();
        String name = name(node.get("name"), faults);
        Set<Right> rights = rights(node.get("rights"), faults);
        node.fieldNames().forEachRemaining(member -> {
            if (!member.equals("name") && !member.equals("rights")) {
                faults.add(new Fault("#", "unknown member; members are name and rights"));
            }
        });
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        Operators.Created created = registry.operators()
                .create(name, rights, by.name())
                .orElseThrow(() -> RegistryException.withDetail(ProblemType.CONFLICT, "the name is taken"));
        Map<String, Object> view = view(created.operator());
        view.put("token", created.token());
        return json(201, view);
    }

    /** Revokes an operator's token; on this node at once, on others within two seconds. */
    @DELETE
    @Path("/{id}")
    public Response revoke(@Context HttpServletRequest request, @PathParam("id") String id) {
        Operator by = bearer.operator(request, Right.OPERATORS_WRITE);
        if (by.id().equals(id)) {
            // Or the last one could lock everybody out for good.
            throw RegistryException.withDetail(ProblemType.CONFLICT, "an operator cannot revoke itself");
        }
        if (!DeviceId.isValid(id) || !registry.operators().revoke(id, by.name())) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such operator");
        }
        return Response.noContent().build();
    }

    private static JsonNode parse(byte[] body) {
        try {
            JsonNode node = Json.parse(body);
            if (node.isObject()) {
                return node;
            }
            throw RegistryException.invalid(List.of(new Fault("#", "must be an object")));
        } catch (MalformedJsonException e) {
            throw RegistryException.invalid(List.of(new Fault("#", e.getMessage())));
        }
    }

    private static String name(JsonNode node, List<Fault> faults) {
        if (node == null || !node.isTextual() || !node.textValue().matches("[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")) {
            faults.add(new Fault(
                    "#/name", "must be 1 to 64 letters, digits, blanks and . _ @ -, beginning with a letter or digit"));
            return null;
        }
        return node.textValue();
    }

    private static Set<Right> rights(JsonNode node, List<Fault> faults) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        if (node == null || !node.isArray() || node.isEmpty()) {
            faults.add(new Fault("#/rights", "must be an array of at least one right"));
            return rights;
        }
        for (int i = 0; i < node.size(); i++) {
            var right = Right.of(node.get(i).asText());
            if (right.isPresent()) {
                rights.add(right.get());
            } else {
                faults.add(new Fault(
                        "#/rights/" + i,
                        "must be one of "
                                + String.join(
                                        ", ",
                                        Stream.of(Right.values())
                                                .map(Right::word)
                                                .toList())));
            }
        }
        return rights;
    }

    private static Map<String, Object> view(Operator operator) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", operator.id());
        view.put("name", operator.name());
        view.put("rights", operator.rights().stream().map(Right::word).sorted().toList());
        view.put("active", operator.active());
        view.put("createdAt", operator.createdAt());
        return view;
    }

    private static Response json(int status, Object body) {
        return Response.status(status)
                .type(MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .entity(Json.bytes(body))
                .build();
    }
}
