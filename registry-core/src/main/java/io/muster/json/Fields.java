// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.Problem.Fault;
import io.muster.problem.RegistryException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * Reads the members of a JSON object from a client one by one. Reports every fault with its JSON pointer (RFC 6901, as
 * a URI fragment) instead of stopping at the first. A faulty member reads as absent, and a faulty element of an array
 * is left out. A member that is null is absent. Members that nothing has read are faults of {@link #end}. Used by one
 * thread.
 */
public final class Fields {

    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59.999Z");
    /** The characters that need no encoding in a URI fragment (RFC 3986 section 3.5). */
    private static final BitSet FRAGMENT =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?"
                    .chars()
                    .collect(BitSet::new, BitSet::set, BitSet::or);

    private static final HexFormat HEX = HexFormat.of().withUpperCase();
    private static final JsonNode NOTHING = Json.parse("null".getBytes(StandardCharsets.UTF_8));

    private final JsonNode object;
    private final String pointer;
    private final List<Fault> faults;
    private final Set<String> read = new LinkedHashSet<>();

    private Fields(JsonNode object, String pointer, List<Fault> faults) {
        this.object = object;
        this.pointer = pointer;
        this.faults = faults;
    }

    /** Reads a whole text. If it is not one JSON object, that is the one fault, and there are no members. */
    public static Fields of(byte[] utf8) {
        List<Fault> faults = new ArrayList<>();
        JsonNode node = NOTHING;
        try {
            node = Json.parse(utf8);
            if (!node.isObject()) {
                faults.add(new Fault("#", "must be an object"));
            }
        } catch (MalformedJsonException e) {
            faults.add(new Fault("#", e.getMessage()));
        }
        return new Fields(node, "#", faults);
    }

    /** Returns the faults so far. */
    public List<Fault> faults() {
        return List.copyOf(faults);
    }

    /** Reports a fault of a member. A text that is no object has no members, and its one fault is reported already. */
    public void fault(String name, String detail) {
        if (object.isObject()) {
            faults.add(new Fault(at(name), detail));
        }
    }

    /**
     * Returns the pointer to a member. Its name goes back to the sender and into the log, so all but harmless ASCII is
     * percent-encoded.
     */
    private String at(String name) {
        StringBuilder at = new StringBuilder(pointer).append('/');
        for (byte octet : name.replace("~", "~0").replace("/", "~1").getBytes(StandardCharsets.UTF_8)) {
            if (FRAGMENT.get(octet & 0xff)) {
                at.append((char) octet);
            } else {
                at.append('%').append(HEX.toHexDigits(octet));
            }
        }
        return at.toString();
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
        if (node.filter(text -> !Json.isStorable(text.textValue())).isPresent()) {
            fault(name, Json.NOT_STORABLE);
            return Optional.empty();
        }
        return node.map(JsonNode::textValue);
    }

    /** Returns the meaning of the string, or empty. A string without a meaning is a fault. */
    public <T> Optional<T> meaning(String name, String expected, Function<String, Optional<T>> meaning) {
        Optional<T>[] found = single();
        return text(name, expected, text -> {
                    found[0] = meaning.apply(text);
                    return found[0].isPresent();
                })
                .flatMap(text -> found[0]);
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

    /** Returns the string, number or boolean, or empty. */
    public Optional<Object> scalar(String name) {
        Optional<JsonNode> node = node(name);
        if (node.filter(JsonNode::isContainerNode).isPresent()) {
            fault(name, "must be a string, a number, true or false");
            return Optional.empty();
        }
        if (node.filter(JsonNode::isNumber).isPresent()) {
            return node.map(JsonNode::numberValue);
        }
        return node.filter(JsonNode::isBoolean).isPresent()
                ? node.map(JsonNode::booleanValue)
                : text(name).map(text -> text);
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

    /**
     * Returns the string that satisfies the condition, the meaning of true, or the empty text for false; empty without
     * the member.
     *
     * @param meant the meaning of true
     */
    public Optional<String> flagOrText(String name, String expected, String meant, Predicate<String> condition) {
        if (node(name).filter(JsonNode::isBoolean).isPresent()) {
            return flag(name).map(on -> on ? meant : "");
        }
        return text(name, "true, false or " + expected, condition);
    }

    /**
     * Returns the time (RFC 3339 with a zone, such as 2026-06-01T12:00:00Z, in 1970 to 9999) to the millisecond, or
     * empty.
     */
    public Optional<Instant> time(String name) {
        return meaning(name, "a time such as 2026-06-01T12:00:00Z", text -> {
            try {
                // The precision of the database.
                return Optional.of(Instant.parse(text))
                        .filter(time -> !time.isBefore(Instant.EPOCH) && !time.isAfter(LATEST))
                        .map(time -> time.truncatedTo(ChronoUnit.MILLIS));
            } catch (DateTimeParseException e) {
                return Optional.empty();
            }
        });
    }

    /** Reports a fault of the later one unless these two times are in this order, if both are there. */
    public void order(String earlier, Optional<Instant> from, String later, Optional<Instant> until) {
        if (from.isPresent() && until.isPresent() && !from.get().isBefore(until.get())) {
            fault(later, "must be later than " + earlier);
        }
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

    /** Returns the strings of an array, or empty. Each must satisfy the condition and occur once. */
    public Optional<List<String>> texts(String name, String expected, Predicate<String> condition) {
        Set<String> before = new HashSet<>();
        return meanings(name, "an array", size -> true, expected + " that is there once", text -> Optional.of(text)
                .filter(condition)
                .filter(before::add));
    }

    /**
     * Returns the meanings of the strings of an array of such a size, or empty. A string without a meaning is a fault.
     */
    public <T> Optional<List<T>> meanings(
            String name,
            String expectedArray,
            IntPredicate isSize,
            String expected,
            Function<String, Optional<T>> meaning) {
        Optional<JsonNode> array = node(name);
        if (array.isEmpty()) {
            return Optional.empty();
        }
        if (!array.get().isArray() || !isSize.test(array.get().size())) {
            fault(name, "must be " + expectedArray);
            return Optional.empty();
        }
        List<T> meanings = new ArrayList<>();
        for (int i = 0; i < array.get().size(); i++) {
            JsonNode item = array.get().get(i);
            Optional<T> found = item.isTextual() && Json.isStorable(item.textValue())
                    ? meaning.apply(item.textValue())
                    : Optional.empty();
            found.ifPresent(meanings::add);
            if (found.isEmpty()) {
                faults.add(new Fault(at(name) + "/" + i, "must be " + expected));
            }
        }
        return Optional.of(List.copyOf(meanings));
    }

    /**
     * Returns the objects of an array of such a size, or empty. Their faults are reported with those of this one. End
     * each of them with {@link #end}.
     */
    public Optional<List<Fields>> objects(String name, String expectedArray, IntPredicate isSize) {
        Optional<JsonNode> array = node(name);
        if (array.isEmpty()) {
            return Optional.empty();
        }
        if (!array.get().isArray() || !isSize.test(array.get().size())) {
            fault(name, "must be " + expectedArray);
            return Optional.empty();
        }
        List<Fields> objects = new ArrayList<>();
        for (int i = 0; i < array.get().size(); i++) {
            JsonNode item = array.get().get(i);
            if (item.isObject()) {
                objects.add(new Fields(item, at(name) + "/" + i, faults));
            } else {
                faults.add(new Fault(at(name) + "/" + i, "must be an object"));
            }
        }
        return Optional.of(objects);
    }

    /** Returns the members of an object whose names satisfy the condition and whose values have a meaning; or empty. */
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
            if (!isName.test(member) || !Json.isStorable(member)) {
                members.get().read.add(member);
                members.get()
                        .fault(
                                member,
                                Json.isStorable(member)
                                        ? "its name must be " + expectedName
                                        : "its name " + Json.NOT_STORABLE);
            } else {
                members.get().meaning(member, expected, value).ifPresent(found -> map.put(member, found));
            }
        });
        return Optional.of(map);
    }

    /** Tells whether the member is a string. This does not count as reading it. */
    public boolean isText(String name) {
        return object.path(name).isTextual();
    }

    /** Returns the names of all members. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Returns the object, or empty. Its faults are reported with those of this one. */
    public Optional<Fields> object(String name) {
        return objectNode(name).map(node -> new Fields(node, at(name), faults));
    }

    /** Returns the object as it is, without members that are null; or empty. */
    public Optional<Map<String, Object>> any(String name) {
        Optional<JsonNode> node = objectNode(name);
        if (node.filter(any -> !Json.isStorable(any)).isPresent()) {
            fault(name, Json.NOT_STORABLE);
            return Optional.empty();
        }
        return node.map(Json::toMap).map(members -> {
            members.values().removeIf(Objects::isNull);
            return members;
        });
    }

    private Optional<JsonNode> objectNode(String name) {
        Optional<JsonNode> node = node(name);
        if (node.isPresent() && !node.get().isObject()) {
            fault(name, "must be an object");
            return Optional.empty();
        }
        return node;
    }

    /** Reports every one of these that is absent as a fault. */
    public void require(String... names) {
        for (String name : names) {
            if (node(name).isEmpty()) {
                fault(name, "is required");
            }
        }
    }

    /**
     * Reports every member that was read and is null as a fault. It is for an object in which null does not mean
     * absent: a limit that was not filled in was not left out on purpose.
     */
    public void refuseNulls() {
        for (String name : read) {
            String at = at(name);
            if (object.path(name).isNull()
                    && faults.stream().noneMatch(fault -> fault.pointer().equals(at))) {
                fault(name, "must not be null");
            }
        }
    }

    /** Reports every member that nothing has read as a fault. */
    public void end() {
        for (String name : names()) {
            if (!read.contains(name)) {
                fault(name, read.isEmpty() ? "is not known" : "is not known; known are " + String.join(", ", read));
            }
        }
    }

    /**
     * Ends the whole text.
     *
     * @throws RegistryException {@code INVALID_REQUEST} with every fault, if there is one
     */
    public void check() {
        end();
        if (!faults.isEmpty()) {
            throw RegistryException.invalid(faults);
        }
    }
}
