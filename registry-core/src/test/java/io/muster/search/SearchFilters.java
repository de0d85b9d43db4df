// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.json.Json;
import io.muster.search.SearchWorld.Known;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Random filters, each with what it means, said in another way than the product says it. */
final class SearchFilters {

    private static final List<String> PREFIXES =
            List.of("SN-", "SN-0", "SN-x01", "SN-0037", "Pump", "P", "r", "red", "");

    private SearchFilters() {}

    /** A filter as a text, and the devices that it matches. */
    record Case(String text, Predicate<Known> meaning) {}

    static Arbitrary<Case> all() {
        return Arbitraries.recursive(SearchFilters::comparison, SearchFilters::combined, 0, 3);
    }

    private static Arbitrary<Case> combined(Arbitrary<Case> parts) {
        return Arbitraries.oneOf(
                parts,
                parts.map(part ->
                        new Case("not (" + part.text() + ")", part.meaning().negate())),
                Combinators.combine(parts, parts)
                        .as((one, other) -> new Case(
                                "(" + one.text() + ") and (" + other.text() + ")",
                                one.meaning().and(other.meaning()))),
                Combinators.combine(parts, comparison())
                        .as((one, other) -> new Case(
                                "(" + one.text() + ") and " + other.text(),
                                one.meaning().and(other.meaning()))),
                Combinators.combine(parts, parts)
                        .as((one, other) -> new Case(
                                "(" + one.text() + ") or (" + other.text() + ")",
                                one.meaning().or(other.meaning()))));
    }

    private static Arbitrary<Case> comparison() {
        return Arbitraries.oneOf(text(), text(), state(), time(), attribute());
    }

    private static final Map<String, Function<Known, String>> TEXTS = Map.of(
            "serial", Known::serial,
            "name", Known::shown,
            "lot", one -> one.tags().get("lot"),
            "owner", one -> one.tags().get("owner"),
            "Group", one -> one.tags().get("group"),
            "tags.colour", one -> one.tags().get("colour"),
            "tags.a.b", one -> one.tags().get("a.b"),
            "tags.none", one -> null);

    private static Arbitrary<Case> text() {
        return Combinators.combine(
                        Arbitraries.of(TEXTS.keySet().stream().sorted().toList()),
                        Arbitraries.of("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"),
                        Arbitraries.oneOf(
                                Arbitraries.of(SearchWorld.TEXTS),
                                Arbitraries.of(SearchWorld.NAMES),
                                Arbitraries.of(PREFIXES)))
                .as((field, operator, value) -> operator.equals("pr")
                        ? new Case(field + " pr", one -> TEXTS.get(field).apply(one) != null)
                        : new Case(
                                field + " " + operator + " " + Json.text(value),
                                one -> ofTexts(operator, TEXTS.get(field).apply(one), value)));
    }

    private static boolean ofTexts(String operator, String value, String other) {
        if (value == null) {
            return operator.equals("ne");
        }
        return switch (operator) {
            case "co" -> value.contains(other);
            case "sw" -> value.startsWith(other);
            case "ew" -> value.endsWith(other);
            default -> ordered(operator, compare(value, other));
        };
    }

    /** Compares as MariaDB does: by the bytes of UTF-8. */
    static int compare(String one, String other) {
        return Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean ordered(String operator, int order) {
        return switch (operator) {
            case "eq" -> order == 0;
            case "ne" -> order != 0;
            case "gt" -> order > 0;
            case "ge" -> order >= 0;
            case "lt" -> order < 0;
            case "le" -> order <= 0;
            default -> throw new AssertionError(operator);
        };
    }

    private static Arbitrary<Case> state() {
        return Combinators.combine(
                        Arbitraries.of("eq", "ne"), Arbitraries.of("active", "disabled", "retired", "pending"))
                .as((operator, word) -> new Case(
                        "state " + operator + " \"" + word + "\"",
                        one -> one.state().equals(word) == operator.equals("eq")));
    }

    private static Arbitrary<Case> time() {
        return Combinators.combine(
                        Arbitraries.of("eq", "ne", "gt", "ge", "lt", "le"),
                        Arbitraries.integers().between(0, 20_000))
                .as((operator, millis) -> {
                    Instant time = Instant.ofEpochMilli(SearchWorld.EARLIEST + millis / 500 * 500L);
                    return new Case(
                            "createdAt " + operator + " \"" + time + "\"",
                            one -> ordered(operator, one.createdAt().compareTo(time)));
                });
    }

    private static Arbitrary<Case> attribute() {
        return Combinators.combine(
                        Arbitraries.of("n", "m", "none"),
                        Arbitraries.of("eq", "ne", "gt", "ge", "lt", "le"),
                        Arbitraries.of(SearchWorld.VALUES))
                .as((name, operator, value) -> {
                    String word = value instanceof Boolean && !operator.equals("ne") ? "eq" : operator;
                    return new Case(
                            "attributes." + name + " " + word + " " + Json.text(value),
                            one -> ofAttributes(word, one.attributes().get(name), value));
                });
    }

    private static boolean ofAttributes(String operator, Object value, Object other) {
        if (value instanceof String text && other instanceof String second) {
            return ofTexts(operator, text, second);
        }
        if (value instanceof Number && other instanceof Number) {
            return ordered(operator, new BigDecimal(value.toString()).compareTo(new BigDecimal(other.toString())));
        }
        return operator.equals("ne") ? !other.equals(value) : operator.equals("eq") && other.equals(value);
    }

    /** Returns the order of a list, said in another way. */
    static Comparator<Known> order(String sort) {
        Comparator<Known> byName = (one, other) -> compare(one.shown(), other.shown());
        Comparator<Known> order =
                switch (sort.replace("-", "")) {
                    case "createdAt" -> Comparator.comparing(Known::id);
                    case "serial" -> Comparator.comparing(Known::serial);
                    case "name" -> byName.thenComparing(Known::serial);
                    default -> throw new AssertionError(sort);
                };
        return sort.startsWith("-") ? order.reversed() : order;
    }
}
