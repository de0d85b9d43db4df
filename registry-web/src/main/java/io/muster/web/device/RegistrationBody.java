package io.muster.web.device;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.Problem.Fault;
import io.muster.fleet.Wire;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The body of a registration, read into a candidate or into every fault it has. Unknown members are ignored. */
final class RegistrationBody {

    private static final int MAX_REQUEST_ID = 128;

    private RegistrationBody() {}

    /**
     * Reads a candidate.
     *
     * @param wire where its members are
     */
    static Candidate parse(
            byte[] body, Wire wire, String fleet, String origin, List<X509Certificate> clientCertificates) {
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
        String serial = serial(node.at(wire.serial()), "#" + wire.serial(), faults);
        Map<String, Object> evidence = wire.evidence().isEmpty()
                ? evidence(node.get("evidence"), faults)
                : evidence(node, wire.evidence(), faults);
        requestId(node.get("requestId"), faults);
        for (String member : List.of("publicKey", "proof")) {
            if (isPresent(node.get(member))) {
                // To ignore it would hand a secret to a device that asked for none.
                faults.add(new Fault("#/" + member, "device-held keys are not offered by this registry"));
            }
        }
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        return new Candidate(new SerialNumber(serial), fleet, Optional.empty(), evidence, clientCertificates, origin);
    }

    private static boolean isPresent(JsonNode node) {
        return node != null && !node.isNull() && !node.isMissingNode();
    }

    private static String serial(JsonNode node, String pointer, List<Fault> faults) {
        if (!isPresent(node)) {
            faults.add(new Fault(pointer, "is required"));
        } else if (!node.isTextual()) {
            faults.add(new Fault(pointer, "must be a string"));
        } else if (!SerialNumber.isValid(node.textValue())) {
            faults.add(new Fault(pointer, "must be " + SerialNumber.SYNTAX));
        } else {
            return node.textValue();
        }
        return null;
    }

    private static Map<String, Object> evidence(JsonNode body, Map<String, String> pointers, List<Fault> faults) {
        Map<String, JsonNode> found = new HashMap<>();
        pointers.forEach((name, pointer) -> {
            if (!Json.isStorable(body.at(pointer))) {
                faults.add(new Fault("#" + pointer, Json.NOT_STORABLE));
            } else if (isPresent(body.at(pointer))) {
                found.put(name, body.at(pointer));
            }
        });
        return Json.toMap(Json.object(found));
    }

    private static Map<String, Object> evidence(JsonNode node, List<Fault> faults) {
        if (!isPresent(node)) {
            return Map.of();
        }
        if (!node.isObject()) {
            faults.add(new Fault("#/evidence", "must be an object"));
            return Map.of();
        }
        if (!Json.isStorable(node)) {
            faults.add(new Fault("#/evidence", Json.NOT_STORABLE));
            return Map.of();
        }
        Map<String, Object> evidence = Json.toMap(node);
        evidence.values().removeIf(Objects::isNull);
        return evidence;
    }

    private static void requestId(JsonNode node, List<Fault> faults) {
        if (isPresent(node)
                && (!node.isTextual()
                        || node.textValue().isEmpty()
                        || node.textValue().length() > MAX_REQUEST_ID)) {
            faults.add(new Fault("#/requestId", "must be a string of 1 to " + MAX_REQUEST_ID + " characters"));
        }
    }
}
