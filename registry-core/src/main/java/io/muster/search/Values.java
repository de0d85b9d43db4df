// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.device.Storable;
import io.muster.json.Json;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;

/** Checks the values of comparisons. */
final class Values {

    private static final String WHOLE_ID = "[0-9a-f]{32}";
    private static final String PART_OF_ID = "[0-9a-f]{1,32}";

    private static final int MOST_SHOWN = 10;

    private Values() {}

    /** A value of the right type, or what is wrong with it. */
    record Checked(Object value, Optional<String> fault) {
        static Checked of(Object value) {
            return new Checked(value, Optional.empty());
        }

        static Checked fault(String text) {
            return new Checked(null, Optional.of(text));
        }
    }

    static Checked check(Field field, Relation relation, JsonNode value) {
        if (value.isNull()) {
            return Checked.fault("cannot be compared with null; use pr");
        }
        if (value.isTextual() && !Json.isStorable(value.textValue())) {
            return Checked.fault("is compared with half of a surrogate pair");
        }
        return switch (field.kind()) {
            case TEXT ->
                value.isTextual()
                        ? Checked.of(value.textValue())
                        : Checked.fault("is a text; put the value in double quotes");
            case WORD -> word(field, relation, value);
            case ID -> id(relation, value);
            case TIME -> time(relation, value);
            case ANY -> any(relation, value);
        };
    }

    private static Checked word(Field field, Relation relation, JsonNode value) {
        if (relation != Relation.EQ && relation != Relation.NE) {
            return Checked.fault("takes eq, ne and pr");
        }
        return value.isTextual() && field.words().contains(value.textValue())
                ? Checked.of(value.textValue())
                : Checked.fault(
                        field.words().size() > MOST_SHOWN
                                ? "is compared with an unknown word"
                                : "is one of \"" + String.join("\", \"", field.words()) + "\"");
    }

    private static Checked id(Relation relation, JsonNode value) {
        if (relation != Relation.EQ && relation != Relation.NE && relation != Relation.SW) {
            return Checked.fault("takes eq, ne, sw and pr");
        }
        boolean whole = relation != Relation.SW;
        return value.isTextual() && value.textValue().matches(whole ? WHOLE_ID : PART_OF_ID)
                ? Checked.of(value.textValue())
                : Checked.fault(whole ? "is 32 lower-case hex digits" : "begins with 1 to 32 lower-case hex digits");
    }

    private static Checked time(Relation relation, JsonNode value) {
        if (relation.isOfParts()) {
            return Checked.fault("takes eq, ne, gt, ge, lt, le and pr");
        }
        try {
            Instant time = OffsetDateTime.parse(value.isTextual() ? value.textValue() : "")
                    .toInstant();
            return Checked.of(time);
        } catch (DateTimeException e) {
            return Checked.fault("is a time such as \"2026-11-23T09:05:30Z\"");
        }
    }

    private static Checked any(Relation relation, JsonNode value) {
        if (relation.isOfParts()) {
            return value.isTextual()
                    ? Checked.of(value.textValue())
                    : Checked.fault("needs a text for " + relation.word());
        }
        if (value.isTextual()) {
            return Checked.of(value.textValue());
        }
        if (value.isNumber()) {
            return Storable.attributeFault(value.numberValue())
                    .map(Checked::fault)
                    .orElseGet(() -> Checked.of(value.numberValue()));
        }
        if (!value.isBoolean()) {
            return Checked.fault("is a text, a number, true or false");
        }
        return relation.isOfOrder()
                ? Checked.fault("cannot be greater or less than true or false")
                : Checked.of(value.booleanValue());
    }
}
