// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.spi.Verdict;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads the name, tags and attributes of a device from a JSON document, at places that settings name by JSON pointers.
 */
public final class DeviceFacts {

    private final Optional<JsonPointer> namePointer;
    private final Map<String, JsonPointer> tags;
    private final Map<String, JsonPointer> attributes;

    /** Reads {@code name-pointer}, {@code tags} and {@code attributes}. */
    public DeviceFacts(Settings settings) {
        namePointer = pointer(settings, "name-pointer");
        tags = pointers(settings, "tags");
        attributes = pointers(settings, "attributes");
        if (tags.containsKey("serial")) {
            settings.fault("tags", "the tag serial is the registry's own");
        }
    }

    /** Tells whether the settings name no place. */
    public boolean isEmpty() {
        return namePointer.isEmpty() && tags.isEmpty() && attributes.isEmpty();
    }

    /**
     * Returns genuine, with the data of the document. Data that is absent or null is left out.
     *
     * @param misplaced makes the exception from the description of an array or object in place of a single value
     */
    public Verdict.Genuine genuine(JsonNode document, Function<String, ? extends RuntimeException> misplaced) {
        Map<String, String> foundTags = new HashMap<>();
        tags.forEach(
                (tag, at) -> scalar(document, at, misplaced).ifPresent(value -> foundTags.put(tag, value.asText())));
        Map<String, Object> foundAttributes = new HashMap<>();
        attributes.forEach((attribute, at) ->
                scalar(document, at, misplaced).ifPresent(value -> foundAttributes.put(attribute, plain(value))));
        Optional<String> name = namePointer
                .flatMap(at -> scalar(document, at, misplaced))
                .map(JsonNode::asText)
                .filter(text -> !text.isBlank());
        return new Verdict.Genuine(name, foundTags, foundAttributes);
    }

    private static Optional<JsonNode> scalar(
            JsonNode document, JsonPointer at, Function<String, ? extends RuntimeException> misplaced) {
        JsonNode value = document.at(at);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isValueNode()) {
            throw misplaced.apply("neither text, number, true nor false at " + at);
        }
        return Optional.of(value);
    }

    /** Returns a scalar as a value for a verdict. */
    public static Object plain(JsonNode scalar) {
        if (scalar.isNumber()) {
            return scalar.numberValue();
        }
        return scalar.isBoolean() ? (Object) scalar.booleanValue() : scalar.textValue();
    }

    /** Reads a JSON pointer (RFC 6901); a malformed one is a fault of the settings. */
    public static Optional<JsonPointer> pointer(Settings settings, String key) {
        Optional<String> text = settings.text(key);
        if (text.isPresent() && !isPointer(text.get())) {
            settings.fault(key, "\"" + text.get() + "\" is not a JSON pointer such as /device/verified");
            return Optional.empty();
        }
        return text.map(JsonPointer::compile);
    }

    private static Map<String, JsonPointer> pointers(Settings settings, String key) {
        Map<String, JsonPointer> pointers = new LinkedHashMap<>();
        for (String pair : settings.list(key)) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? "" : pair.substring(0, equals).strip();
            String text = pair.substring(equals + 1).strip();
            if (!name.matches("[A-Za-z][A-Za-z0-9_.-]{0,63}") || !isPointer(text)) {
                settings.fault(key, "\"" + pair + "\" is not name=/pointer");
            } else if (pointers.put(name, JsonPointer.compile(text)) != null) {
                settings.fault(key, name + " is there twice");
            }
        }
        return pointers;
    }

    /** RFC 6901; Jackson accepts a tilde that escapes nothing. */
    private static boolean isPointer(String text) {
        return text.matches("(/([^/~]|~[01])*)+");
    }
}
