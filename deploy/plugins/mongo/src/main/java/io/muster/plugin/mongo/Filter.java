// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import io.muster.spi.Candidate;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.json.JsonParseException;

/**
 * A filter with placeholders. They are filled in only where a text is compared with a field, and the result is a text.
 * So no serial becomes an operator, a pattern, an expression or another type.
 */
final class Filter {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(serial|fleet)}");
    /** Operators that compare or combine. None of these evaluates a text: neither $where nor $expr, $regex or $text. */
    private static final Set<String> OPERATORS = Set.of(
            "$and",
            "$or",
            "$nor",
            "$not",
            "$eq",
            "$ne",
            "$gt",
            "$gte",
            "$lt",
            "$lte",
            "$in",
            "$nin",
            "$all",
            "$elemMatch",
            "$exists",
            "$size",
            "$type");
    /** Operators under which a serial is a required value of the document. */
    private static final Set<String> EQUALITIES = Set.of("$and", "$or", "$eq", "$in", "$all", "$elemMatch");

    private final BsonDocument template;

    private Filter(BsonDocument template) {
        this.template = template;
    }

    /**
     * Reads a filter.
     *
     * @throws IllegalArgumentException if it is none, or the placeholders are not where they may be
     */
    static Filter parse(String json) {
        BsonDocument template;
        try {
            template = BsonDocument.parse(json);
        } catch (JsonParseException e) {
            throw new IllegalArgumentException("is no JSON object");
        } catch (RuntimeException e) {
            // The parser throws several more kinds for unexpected input.
            throw new IllegalArgumentException("is no JSON object that MongoDB understands");
        }
        if (!check(template, true)) {
            throw new IllegalArgumentException("must compare a field with \"{serial}\"");
        }
        return new Filter(template);
    }

    /** Returns whether the filter asks for the serial. */
    private static boolean check(BsonValue value, boolean mayAsk) {
        if (value.isString()) {
            boolean asks = PLACEHOLDER.matcher(value.asString().getValue()).find();
            if (asks && !mayAsk) {
                throw new IllegalArgumentException(
                        "may have a placeholder only where a field is compared for equality");
            }
            return value.asString().getValue().contains("{serial}");
        }
        boolean asks = false;
        if (value.isArray()) {
            for (BsonValue item : value.asArray()) {
                asks |= check(item, mayAsk);
            }
        } else if (value.isDocument()) {
            for (Map.Entry<String, BsonValue> entry : value.asDocument().entrySet()) {
                String name = entry.getKey();
                if (PLACEHOLDER.matcher(name).find()) {
                    throw new IllegalArgumentException("may not have a placeholder in the name of a field");
                }
                if (name.startsWith("$") && !OPERATORS.contains(name)) {
                    throw new IllegalArgumentException("may not use " + name);
                }
                asks |= check(entry.getValue(), mayAsk && (!name.startsWith("$") || EQUALITIES.contains(name)));
            }
        } else if (value.isRegularExpression() || value.isJavaScript() || value.isJavaScriptWithScope()) {
            throw new IllegalArgumentException("may have neither patterns nor code");
        }
        return asks;
    }

    BsonDocument of(Candidate candidate) {
        return filled(template, candidate).asDocument();
    }

    private static BsonValue filled(BsonValue value, Candidate candidate) {
        if (value.isString()) {
            // In one pass: a serial that looks like a placeholder stays as it is.
            return new BsonString(PLACEHOLDER
                    .matcher(value.asString().getValue())
                    .replaceAll(found -> Matcher.quoteReplacement(
                            found.group(1).equals("serial") ? candidate.serial().value() : candidate.fleet())));
        }
        if (value.isArray()) {
            BsonArray array = new BsonArray();
            value.asArray().forEach(item -> array.add(filled(item, candidate)));
            return array;
        }
        if (value.isDocument()) {
            BsonDocument document = new BsonDocument();
            value.asDocument().forEach((name, inner) -> document.put(name, filled(inner, candidate)));
            return document;
        }
        return value;
    }

    /** Returns the template; the placeholders are still in it. */
    @Override
    public String toString() {
        return template.toJson();
    }
}
