package io.muster.web.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.Problem.Fault;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.problem.RegistryException;
import io.muster.web.Bodies;
import jakarta.servlet.http.HttpServletRequest;
import java.io.InputStream;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The members of a JSON object that an operator sent: unknown and malformed ones are faults, reported all at once. A member that is
 * null is absent.
 */
final class Members {

    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59.999Z");

    private final JsonNode object;
    private final List<Fault> faults = new ArrayList<>();

    private Members(JsonNode object, Set<String> known) {
        this.object = object;
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                faults.add(new Fault(
                        "#",
                        "unknown member; members are "
                                + String.join(", ", known.stream().sorted().toList())));
            }
        });
    }

    /** Reads the body, which must be an object. */
    static Members of(HttpServletRequest request, InputStream body, Set<String> known) {
        return parse(Bodies.read(request, body, Bodies.JSON), known);
    }

    /** Reads the body, which may be absent altogether, content type and all. */
    static Members ofOptional(HttpServletRequest request, InputStream body, Set<String> known) {
        boolean absent = request.getContentLengthLong() == 0
                || request.getContentLengthLong() < 0
                        && request.getContentType() == null
                        && request.getHeader("Transfer-Encoding") == null;
        return absent ? parse(new byte[] {'{', '}'}, known) : of(request, body, known);
    }

    private static Members parse(byte[] body, Set<String> known) {
        JsonNode node;
        try {
            node = Json.parse(body);
        } catch (MalformedJsonException e) {
            throw RegistryException.invalid(List.of(new Fault("#", e.getMessage())));
        }
        if (!node.isObject()) {
            throw RegistryException.invalid(List.of(new Fault("#", "must be an object")));
        }
        return new Members(node, known);
    }

    private Optional<JsonNode> member(String name) {
        return Optional.ofNullable(object.get(name)).filter(node -> !node.isNull());
    }

    /** Notes a fault of a member, or of one of its elements such as {@code serials/0}. */
    void fault(String name, String detail) {
        faults.add(new Fault("#/" + name, detail));
    }

    /** Returns the text, which may have so many characters and no control characters. */
    Optional<String> text(String name, int atMost) {
        Optional<JsonNode> node = member(name);
        if (node.isPresent()
                && !(node.get().isTextual()
                        && node.get().textValue().length() <= atMost
                        && node.get().textValue().chars().noneMatch(Character::isISOControl))) {
            fault(name, "must be a string of at most " + atMost + " characters and no control characters");
            return Optional.empty();
        }
        return node.map(JsonNode::textValue).filter(text -> !text.isEmpty());
    }

    /** Returns the whole number, which may not be negative. */
    Optional<Integer> number(String name) {
        Optional<JsonNode> node = member(name);
        if (node.isPresent()
                && !(node.get().isIntegralNumber()
                        && node.get().canConvertToInt()
                        && node.get().intValue() >= 0)) {
            fault(name, "must be a whole number, 0 to " + Integer.MAX_VALUE);
            return Optional.empty();
        }
        return node.map(JsonNode::intValue);
    }

    /** Returns the time, to the millisecond. */
    Optional<Instant> time(String name) {
        Optional<JsonNode> node = member(name);
        if (node.isEmpty()) {
            return Optional.empty();
        }
        if (node.get().isTextual()) {
            try {
                Instant time = Instant.parse(node.get().textValue());
                if (!time.isBefore(Instant.EPOCH) && !time.isAfter(LATEST)) {
                    return Optional.of(Instant.ofEpochMilli(time.toEpochMilli()));
                }
            } catch (DateTimeParseException e) {
                // said below
            }
        }
        fault(name, "must be a time such as 2026-11-01T00:00:00Z");
        return Optional.empty();
    }

    /** Returns true or false, and false where nothing is said. */
    boolean flag(String name) {
        Optional<JsonNode> node = member(name);
        if (node.isPresent() && !node.get().isBoolean()) {
            fault(name, "must be true or false");
        }
        return node.map(JsonNode::booleanValue).orElse(false);
    }

    /** Returns the strings of an array; an element that is none is the empty text. Empty if it is no array. */
    Optional<List<String>> texts(String name) {
        return member(name).filter(JsonNode::isArray).map(array -> {
            List<String> texts = new ArrayList<>();
            array.forEach(element -> texts.add(element.isTextual() ? element.textValue() : ""));
            return texts;
        });
    }

    void check() {
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }
}
