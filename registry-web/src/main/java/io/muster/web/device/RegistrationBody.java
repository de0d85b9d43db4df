// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.Problem.Fault;
import io.muster.fleet.Wire;
import io.muster.jose.PublicJwk;
import io.muster.jose.StrictJws;
import io.muster.jose.VerificationKey.Algorithm;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.problem.RegistryException;
import io.muster.registration.CredentialProof;
import io.muster.registration.RegistrationAttempt;
import io.muster.registration.RegistrationAttempt.OfferedKey;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.math.BigDecimal;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/** The body of a registration, read into an attempt or into every fault it has. Unknown members are ignored. */
final class RegistrationBody {

    private static final int MAX_REQUEST_ID = 128;
    private static final int MAX_DIGITS = 128;

    private RegistrationBody() {}

    /**
     * Reads an attempt to register.
     *
     * @param wire where its members are
     * @param serials how the fleet spells serials
     * @param bearer the token of {@code Authorization: Bearer}, where the wire makes it evidence
     * @param authorized whether the request has another header {@code Authorization}
     * @param presented finds the device that asks, by the member {@code clientAssertion} or by the header. Not called
     *     for a body with a fault, since it uses an assertion up
     */
    static RegistrationAttempt parse(
            byte[] body,
            Wire wire,
            SerialForm serials,
            String fleet,
            String origin,
            List<X509Certificate> clientCertificates,
            Optional<String> bearer,
            boolean authorized,
            Function<Optional<String>, Optional<CredentialProof>> presented) {
        List<Fault> faults = new ArrayList<>();
        JsonNode node = object(body);
        Optional<SerialNumber> serial = serial(node.at(wire.serial()), serials, "#" + wire.serial(), faults);
        Map<String, Object> evidence = wire.evidence().isEmpty()
                ? evidence(node.get("evidence"), faults)
                : evidence(node, wire.evidence(), faults);
        if (bearer.isPresent()) {
            evidence = with(evidence, wire, bearer.get(), faults);
        }
        Optional<OfferedKey> offered = offered(node, faults);
        Optional<Seal> seal = seal(node, faults);
        Optional<String> assertion = clientAssertion(node, authorized, faults);
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        Candidate candidate =
                new Candidate(serial.orElseThrow(), fleet, Optional.empty(), evidence, clientCertificates, origin);
        return new RegistrationAttempt(
                seal.map(key -> candidate.boundTo(key.reader().thumbprint())).orElse(candidate),
                offered,
                seal,
                presented.apply(assertion));
    }

    /**
     * The request of a device that renews its credential.
     *
     * @param offered the key that it wants to keep the private half of
     * @param seal how the reply is to be sealed
     * @param clientAssertion the proof that it has its credential, not checked yet
     */
    record Renewal(Optional<OfferedKey> offered, Optional<Seal> seal, Optional<String> clientAssertion) {

        /** Names the offered key, and hides the proofs. */
        @Override
        public String toString() {
            return "Renewal[" + offered.map(OfferedKey::key) + "]";
        }
    }

    /**
     * Reads the request of a device that renews its credential.
     *
     * @param authorized whether the request has the header {@code Authorization}
     */
    static Renewal renewal(byte[] body, boolean authorized) {
        List<Fault> faults = new ArrayList<>();
        JsonNode node = object(body);
        Renewal renewal =
                new Renewal(offered(node, faults), seal(node, faults), clientAssertion(node, authorized, faults));
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
        return renewal;
    }

    private static JsonNode object(byte[] body) {
        JsonNode node;
        try {
            node = Json.parse(body);
        } catch (MalformedJsonException e) {
            throw RegistryException.invalid(List.of(new Fault("#", e.getMessage())));
        }
        if (!node.isObject()) {
            throw RegistryException.invalid(List.of(new Fault("#", "must be an object")));
        }
        return node;
    }

    private static Optional<OfferedKey> offered(JsonNode node, List<Fault> faults) {
        JsonNode proof = node.get("proof");
        Optional<PublicJwk> key = key(node.get("publicKey"), "#/publicKey", faults);
        if (isPresent(node.get("publicKey")) != isPresent(proof)) {
            // Ignoring one of them would give a secret to a device that asked for none.
            String missing = isPresent(proof) ? "publicKey" : "proof";
            faults.add(new Fault("#/" + missing, "is required: publicKey and proof come together"));
        }
        Optional<String> signed = jws(proof, "#/proof", faults);
        return signed.isPresent() ? key.map(publicKey -> new OfferedKey(publicKey, signed.get())) : Optional.empty();
    }

    private static Optional<String> clientAssertion(JsonNode node, boolean authorized, List<Fault> faults) {
        Optional<String> assertion = jws(node.get("clientAssertion"), "#/clientAssertion", faults);
        if (assertion.isPresent() && authorized) {
            faults.add(new Fault("#/clientAssertion", "authenticate in one way: there is an Authorization header too"));
        }
        return assertion;
    }

    private static Optional<String> jws(JsonNode node, String pointer, List<Fault> faults) {
        if (!isPresent(node)) {
            return Optional.empty();
        }
        if (!node.isTextual() || !StrictJws.isWellFormed(node.textValue())) {
            faults.add(new Fault(pointer, "must be a compact JWS of at most " + StrictJws.MAX_LENGTH + " characters"));
            return Optional.empty();
        }
        return Optional.of(node.textValue());
    }

    private static Optional<PublicJwk> key(JsonNode node, String pointer, List<Fault> faults) {
        if (!isPresent(node)) {
            return Optional.empty();
        }
        try {
            return Optional.of(PublicJwk.read(node));
        } catch (PublicJwk.InvalidKeyException e) {
            faults.add(new Fault(pointer, "is not a key that can be used here: " + e.getMessage()));
            return Optional.empty();
        }
    }

    private static Optional<Seal> seal(JsonNode node, List<Fault> faults) {
        JsonNode requestId = node.get("requestId");
        boolean named = isPresent(requestId);
        if (named && !isRequestId(requestId)) {
            faults.add(new Fault(
                    "#/requestId",
                    "must be a string of 1 to " + MAX_REQUEST_ID + " characters, without control characters"));
        }
        Optional<PublicJwk> reader = key(node.get("replyKey"), "#/replyKey", faults);
        if (reader.filter(key -> key.key().algorithm() != Algorithm.ES256).isPresent()) {
            faults.add(new Fault("#/replyKey", "must be a key of EC with P-256"));
        }
        if (named && !isPresent(node.get("replyKey"))) {
            // Ignoring it would send the secret unsealed to a device that asked for it sealed.
            faults.add(new Fault("#/replyKey", "is required with requestId"));
        }
        if (reader.isPresent() && !named) {
            faults.add(new Fault("#/requestId", "is required with replyKey"));
        }
        return named && isRequestId(requestId)
                ? reader.map(key -> new Seal(requestId.textValue(), key))
                : Optional.empty();
    }

    private static boolean isRequestId(JsonNode node) {
        return node.isTextual()
                && !node.textValue().isEmpty()
                && node.textValue().length() <= MAX_REQUEST_ID
                && node.textValue().chars().noneMatch(Character::isISOControl)
                && Json.isStorable(node.textValue());
    }

    private static boolean isPresent(JsonNode node) {
        return node != null && !node.isNull() && !node.isMissingNode();
    }

    private static Optional<SerialNumber> serial(
            JsonNode node, SerialForm serials, String pointer, List<Fault> faults) {
        if (!isPresent(node)) {
            faults.add(new Fault(pointer, "is required"));
            return Optional.empty();
        }
        boolean number = serials.takesAnyText() && node.isNumber();
        if (!node.isTextual() && !number) {
            faults.add(
                    new Fault(pointer, serials.takesAnyText() ? "must be a string or a number" : "must be a string"));
            return Optional.empty();
        }
        Optional<SerialNumber> serial =
                (number ? decimal(node) : Optional.of(node.textValue())).flatMap(serials::presented);
        if (serial.isEmpty()) {
            faults.add(new Fault(pointer, "must be " + serials.syntax()));
        }
        return serial;
    }

    /** Returns the number as people write it, without an exponent; empty if that is long. */
    private static Optional<String> decimal(JsonNode number) {
        BigDecimal value = number.decimalValue();
        boolean isShort = Math.abs((long) value.scale()) <= MAX_DIGITS && value.precision() <= MAX_DIGITS;
        return isShort ? Optional.of(canonical(value).toPlainString()) : Optional.empty();
    }

    // 7.0 is the number 7.
    private static BigDecimal canonical(BigDecimal value) {
        return value.signum() == 0 ? BigDecimal.ZERO : value.stripTrailingZeros();
    }

    private static Map<String, Object> with(Map<String, Object> evidence, Wire wire, String token, List<Fault> faults) {
        String name = wire.bearer().orElseThrow();
        if (evidence.containsKey(name)) {
            String pointer = wire.evidence()
                    .getOrDefault(name, "/evidence/" + name.replace("~", "~0").replace("/", "~1"));
            faults.add(new Fault("#" + pointer, "give it once: it is in the Authorization header too"));
            return evidence;
        }
        Map<String, Object> all = new HashMap<>(evidence);
        all.put(name, token);
        return all;
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
}
