package io.muster.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.Problem.Fault;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The members of a JSON object that somebody sent, read one by one; every fault is noted with its JSON pointer instead of
 * stopping at the first. A faulty member reads as absent. A member that is null is absent. Members that nobody read are faults of
 * {@link #end}. Used by one thread.
 */
public final class Fields {

    private final JsonNode object;
    private final String pointer;
    private final List<Fault> faults;
    private final Set<String> read = new LinkedHashSet<>();

    private Fields(JsonNode object, String pointer, List<Fault> faults) {
        this.object = object;
        this.pointer = pointer;
        this.faults = faults;
    }

    /** Reads a whole text; where it is not one JSON object, that is the one fault, and every member is absent. */
    public static Fields of(byte[] utf8) {
        List<Fault> faults = new ArrayList<>();
        try {
            return of(Json.parse(utf8), "#", faults);
        } catch (MalformedJsonException e) {
            faults.add(new Fault("#", e.getMessage()));
            return new Fields(Json.parse(new byte[] {'{', '}'}), "#", faults);
        }
    }

    private static Fields of(JsonNode node, String pointer, List<Fault> faults) {
        if (node.isObject()) {
            return new Fields(node, pointer, faults);
        }
        faults.add(new Fault(pointer, "must be an object"));
        return new Fields(Json.parse(new byte[] {'{', '}'}), pointer, faults);
    }

    /** Returns what was faulty so far. */
    public List<Fault> faults() {
        return List.copyOf(faults);
    }

    /** Notes a fault of a member. */
    public void fault(String name, String detail) {
        faults.add(new Fault(at(name), detail));
    }

    private String at(String name) {
        return pointer + "/" + name.replace("~", "~0").replace("/", "~1");
    }

    private Optional<JsonNode> node(String name) {
        read.add(name);
        return Optional.ofNullable(object.get(name)).filter(node -> !node.isNull());
    }

    /** Returns the string, or empty. */
    public Optional<String> text(String name) {
        return text(name, "a string", text -> true);
    }

    /** Returns the string that satisfies the condition, or empty. */
    public Optional<String> text(String name, String expected, Predicate<String> condition) {
        Optional<JsonNode> node = node(name);
        if (node.isPresent()
                && !(node.get().isTextual() && condition.test(node.get().textValue()))) {
            fault(name, "must be " + expected);
            return Optional.empty();
        }
        return node.map(JsonNode::textValue);
    }

    /** Returns what the string means, or empty; meaning nothing is a fault. */
    public <T> Optional<T> meaning(String name, String expected, Function<String, Optional<T>> meaning) {
        Optional<T>[] found = single();
        text(name, expected, text -> {
            found[0] = meaning.apply(text);
            return found[0].isPresent();
        });
        return found[0];
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static <T> Optional<T>[] single() {
        Optional[] one = {Optional.empty()};
        return one;
    }

    /** Returns the whole number within the bounds, or empty. */
    public Optional<Long> number(String name, long least, long most) {
        Optional<JsonNode> node = node(name);
        if (node.isPresent()
                && !(node.get().isIntegralNumber()
                        && node.get().canConvertToLong()
                        && node.get().longValue() >= least
                        && node.get().longValue() <= most)) {
            fault(name, "must be a whole number between " + least + " and " + most);
            return Optional.empty();
        }
        return node.map(JsonNode::longValue);
    }

    /** Returns true or false, or empty. */
    public Optional<Boolean> flag(String name) {
        Optional<JsonNode> node = node(name);
        if (node.isPresent() && !node.get().isBoolean()) {
            fault(name, "must be true or false");
            return Optional.empty();
        }
        return node.map(JsonNode::booleanValue);
    }

    /** Returns the time (RFC 3339 with a zone, such as 2026-06-01T12:00:00Z), or empty. */
    public Optional<Instant> time(String name) {
        return meaning(name, "a time such as 2026-06-01T12:00:00Z", text -> {
            try {
                return Optional.of(Instant.parse(text));
            } catch (DateTimeParseException e) {
                return Optional.empty();
            }
        });
    }

    /** Returns the ISO 8601 duration within the bounds, or empty. */
    public Optional<Duration> duration(String name, Duration least, Duration most) {
        return meaning(name, "a duration such as PT15M, between " + least + " and " + most, text -> {
            try {
                return Optional.of(Duration.parse(text))
                        .filter(value -> value.compareTo(least) >= 0 && value.compareTo(most) <= 0);
            } catch (DateTimeParseException | ArithmeticException e) {
                return Optional.empty();
            }
        });
    }

    /** Returns the strings of an array, each of which satisfies the condition and is there once; or empty. */
    public Optional<List<String>> texts(String name, String expected, Predicate<String> condition) {
        Optional<JsonNode> node = node(name);
        if (node.isEmpty()) {
            return Optional.empty();
        }
        if (!node.get().isArray()) {
            fault(name, "must be an array");
            return Optional.empty();
        }
        Set<String> texts = new LinkedHashSet<>();
        for (int i = 0; i < node.get().size(); i++) {
            JsonNode item = node.get().get(i);
            if (!item.isTextual() || !condition.test(item.textValue())) {
                faults.add(new Fault(at(name) + "/" + i, "must be " + expected));
            } else if (!texts.add(item.textValue())) {
                faults.add(new Fault(at(name) + "/" + i, "is there twice"));
            }
        }
        return Optional.of(List.copyOf(texts));
    }

    /** Returns the members of an object whose names satisfy the condition and whose values mean something; or empty. */
    public <T> Optional<Map<String, T>> map(
            String name,
            String expectedName,
            Predicate<String> isName,
            String expected,
            Function<String, Optional<T>> value) {
        Optional<Fields> members = object(name);
        if (members.isEmpty()) {
            return Optional.empty();
        }
        Map<String, T> map = new LinkedHashMap<>();
        members.get().names().forEach(member -> {
            if (!isName.test(member)) {
                members.get().read.add(member);
                members.get().fault(member, "its name must be " + expectedName);
            } else {
                members.get().meaning(member, expected, value).ifPresent(found -> map.put(member, found));
            }
        });
        return Optional.of(map);
    }

    /** Returns the names of all members. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (Iterator<String> each = object.fieldNames(); each.hasNext(); ) {
            names.add(each.next());
        }
        return names;
    }

    /** Returns the object, or empty; its faults are noted with those of this one. */
    public Optional<Fields> object(String name) {
        return node(name).map(node -> of(node, at(name), faults));
    }

    /** Returns the object as it is, without members that are null; or empty. */
    public Optional<Map<String, Object>> any(String name) {
        Optional<JsonNode> node = node(name);
        if (node.isPresent() && !node.get().isObject()) {
            fault(name, "must be an object");
            return Optional.empty();
        }
        return node.map(Json::toMap).map(members -> {
            members.values().removeIf(Objects::isNull);
            return members;
        });
    }

    /** Notes every member that nobody read as a fault. */
    public void end() {
        for (String name : names()) {
            if (!read.contains(name)) {
                fault(name, "is not known; known are " + String.join(", ", read));
            }
        }
    }
}
