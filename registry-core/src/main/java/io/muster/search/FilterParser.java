// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import com.unboundid.scim2.common.Path;
import com.unboundid.scim2.common.exceptions.BadRequestException;
import com.unboundid.scim2.common.filters.Filter;
import com.unboundid.scim2.common.filters.FilterType;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Reads filters in the grammar of RFC 7644, section 3.4.2.2, and checks their attributes, values and bounds. */
public final class FilterParser {

    /** The longest filter. */
    public static final int MAX_LENGTH = 2000;
    /** How many comparisons a filter has at most. */
    public static final int MAX_COMPARISONS = 20;
    /** How deep parentheses are at most. */
    public static final int MAX_DEPTH = 10;

    private static final Pattern POSITION = Pattern.compile("at position (\\d{1,5})");
    private static final String NO_OPERATOR = "Unrecognized attribute operator";
    private static final Map<String, String> REASONS = Map.of(
            NO_OPERATOR,
            "an operator is expected here: eq, ne, co, sw, ew, pr, gt, ge, lt or le",
            "Invalid comparison value",
            "a value is expected here: a text in double quotes, a number, true or false",
            "Expected '('",
            "after not, an opening parenthesis is expected here",
            "No opening parenthesis",
            "this parenthesis was never opened",
            "Invalid attribute path",
            "an attribute is expected here",
            "Attribute path expected",
            "an attribute is expected here");

    private final IdentityHashMap<Filter, Expression> read = new IdentityHashMap<>();
    private final List<String> faults = new ArrayList<>();
    private final Words words;
    private final Schema schema;
    private int number;

    private FilterParser(Words words, Schema schema) {
        this.words = words;
        this.schema = schema;
    }

    /**
     * Reads a filter.
     *
     * @param schema the attributes that it can name
     * @throws FilterException if it does not parse, names an unknown attribute, compares it with a value of another
     *     type, or is too large
     */
    public static Expression parse(String text, Schema schema) throws FilterException {
        if (text.length() > MAX_LENGTH) {
            throw new FilterException(List.of("has more than " + MAX_LENGTH + " characters"));
        }
        Words words = Words.of(text);
        if (words.depth() > MAX_DEPTH) {
            throw new FilterException(List.of("has parentheses more than " + MAX_DEPTH + " deep"));
        }
        if (words.comparisons().size() > MAX_COMPARISONS) {
            throw new FilterException(List.of(at(words.comparisons().get(MAX_COMPARISONS)) + ": has more than "
                    + MAX_COMPARISONS + " comparisons"));
        }
        FilterParser parser = new FilterParser(words, schema);
        Expression expression = parser.expression(parsed(text));
        if (!parser.faults.isEmpty()) {
            throw new FilterException(parser.faults);
        }
        return expression;
    }

    private static Filter parsed(String text) throws FilterException {
        try {
            return Filter.fromString(text);
        } catch (BadRequestException e) {
            throw new FilterException(List.of(reason(text, String.valueOf(e.getMessage()))));
        } catch (RuntimeException e) {
            // The library has no better answer to some texts, such as one with a list for a value.
            throw new FilterException(List.of("does not parse"));
        }
    }

    private static String reason(String text, String message) {
        Matcher position = POSITION.matcher(message);
        int blanks = text.length() - text.stripLeading().length();
        int place = position.find() ? blanks + Integer.parseInt(position.group(1)) : text.length();
        if (message.startsWith(NO_OPERATOR)) {
            // The library names the place behind it.
            String before = text.substring(0, Math.min(place, text.length())).stripTrailing();
            place = Math.max(before.lastIndexOf(' '), before.lastIndexOf('(')) + 1;
        } else if (place >= text.stripTrailing().length()) {
            return at(text.length()) + ": the filter ends too early";
        }
        return at(place) + ": "
                + REASONS.entrySet().stream()
                        .filter(known -> message.startsWith(known.getKey()))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse("this is not expected here");
    }

    private static String at(int place) {
        return "character " + (place + 1);
    }

    /** The library repeats comparisons where and comes before or: each object is read once. */
    private Expression expression(Filter filter) {
        Expression known = read.get(filter);
        if (known == null) {
            known = unread(filter);
            read.put(filter, known);
        }
        return known;
    }

    private Expression unread(Filter filter) {
        if (filter.isCombiningFilter()) {
            boolean and = filter.getFilterType() == FilterType.AND;
            Set<Expression> parts = new LinkedHashSet<>();
            for (Filter part : filter.getCombinedFilters()) {
                Expression one = expression(part);
                if (and && one instanceof Expression.And same) {
                    parts.addAll(same.parts());
                } else {
                    parts.add(one);
                }
            }
            return and ? new Expression.And(List.copyOf(parts)) : new Expression.Or(List.copyOf(parts));
        }
        if (filter.isNotFilter()) {
            return new Expression.Not(expression(filter.getInvertedFilter()));
        }
        int place = number < words.comparisons().size() ? words.comparisons().get(number) : 0;
        number++;
        Checked checked = check(filter);
        checked.fault().ifPresent(fault -> faults.add(at(place) + ": " + fault));
        return checked.expression();
    }

    private record Checked(Expression expression, Optional<String> fault) {
        static Checked fault(String text) {
            return new Checked(Expression.all(), Optional.of(text));
        }
    }

    private Checked check(Filter filter) {
        Path path = filter.getAttributePath();
        if (filter.isComplexValueFilter() || path.getSchemaUrn() != null) {
            return Checked.fault("brackets and names of schemas are not supported");
        }
        String name = StreamSupport.stream(path.spliterator(), false)
                .map(Path.Element::getAttribute)
                .collect(Collectors.joining("."));
        Optional<Field> field = schema.find(name);
        if (field.isEmpty()) {
            return Checked.fault("unknown attribute; known are " + schema.names());
        }
        Relation relation = Relation.of(filter.getFilterType().getStringValue()).orElseThrow();
        if (relation == Relation.PR) {
            return new Checked(new Expression.Comparison(field.get(), relation, null), Optional.empty());
        }
        Values.Checked value = Values.check(field.get(), relation, filter.getComparisonValue());
        if (value.fault().isPresent()) {
            return Checked.fault(field.get().name() + " " + value.fault().get());
        }
        boolean whole = relation == Relation.EQ || relation == Relation.NE;
        Object stored =
                whole && value.value() instanceof String text ? schema.stored(field.get(), text) : value.value();
        return new Checked(new Expression.Comparison(field.get(), relation, stored), Optional.empty());
    }
}
