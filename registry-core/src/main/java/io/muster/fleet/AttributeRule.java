// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.config.MusterConfig.AttributeType;
import io.muster.device.Storable;
import io.muster.json.Fields;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The rules of a fleet's template for one attribute. The bounds hold for the default and for what devices report, not for
 * what operators and verifiers say.
 *
 * @param type its type
 * @param initial the value of a device that has no other at its admission
 * @param report whether the device may change it
 * @param min the least number
 * @param max the greatest number
 * @param maxLength the longest text
 */
public record AttributeRule(
        AttributeType type,
        Optional<Object> initial,
        boolean report,
        Optional<BigDecimal> min,
        Optional<BigDecimal> max,
        Optional<Integer> maxLength) {

    static AttributeRule read(Fields fields) {
        Optional<AttributeType> type =
                fields.meaning("type", "string, number, boolean", word -> Stream.of(AttributeType.values())
                        .filter(constant -> word(constant).equals(word))
                        .findFirst());
        if (!fields.names().contains("type")) {
            fields.require("type");
        }
        AttributeRule rule = new AttributeRule(
                type.orElse(AttributeType.STRING),
                fields.scalar("default"),
                fields.flag("report").orElse(false),
                bound(fields, "min", type),
                bound(fields, "max", type),
                fields.number("maxLength", 1, Storable.MAX_ATTRIBUTE).map(Long::intValue));
        if (type.isPresent()) {
            if (rule.maxLength.isPresent() && type.get() != AttributeType.STRING) {
                fields.fault("maxLength", "is for strings only");
            }
            if (rule.min.isPresent() && rule.max.isPresent() && rule.min.get().compareTo(rule.max.get()) > 0) {
                fields.fault("max", "must not be less than min");
            }
            rule.initial.flatMap(rule::fault).ifPresent(fault -> fields.fault("default", fault));
        }
        fields.refuseNulls();
        fields.end();
        return rule;
    }

    private static Optional<BigDecimal> bound(Fields fields, String name, Optional<AttributeType> type) {
        Optional<Object> value = fields.scalar(name);
        Optional<String> fault = value.flatMap(
                given -> given instanceof Number ? Storable.attributeFault(given) : Optional.of("must be a number"));
        if (fault.isEmpty() && value.isPresent() && type.isPresent() && type.get() != AttributeType.NUMBER) {
            fault = Optional.of("is for numbers only");
        }
        if (fault.isPresent()) {
            fields.fault(name, fault.get());
            return Optional.empty();
        }
        return value.map(AttributeRule::decimal);
    }

    private static BigDecimal decimal(Object number) {
        return new BigDecimal(number.toString());
    }

    /** Returns what is wrong with a value from a device, a String, Number or Boolean; empty if it may report it. */
    public Optional<String> fault(Object value) {
        boolean isOfType =
                switch (type) {
                    case STRING -> value instanceof String;
                    case NUMBER -> value instanceof Number;
                    case BOOLEAN -> value instanceof Boolean;
                };
        if (!isOfType) {
            return Optional.of("must be a " + word(type) + ", as the fleet declares");
        }
        return Storable.attributeFault(value).or(() -> bounds(value));
    }

    private Optional<String> bounds(Object value) {
        if (value instanceof String text
                && maxLength.filter(most -> text.length() > most).isPresent()) {
            return Optional.of("must have at most " + maxLength.get() + " characters");
        }
        if (value instanceof Number number) {
            BigDecimal exact = decimal(number);
            if (min.filter(least -> exact.compareTo(least) < 0).isPresent()) {
                return Optional.of("must be at least " + min.get());
            }
            if (max.filter(most -> exact.compareTo(most) > 0).isPresent()) {
                return Optional.of("must be at most " + max.get());
            }
        }
        return Optional.empty();
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("type", word(type));
        initial.ifPresent(value -> json.put("default", value));
        if (report) {
            json.put("report", true);
        }
        min.ifPresent(value -> json.put("min", value));
        max.ifPresent(value -> json.put("max", value));
        maxLength.ifPresent(value -> json.put("maxLength", value));
        return json;
    }

    private static String word(AttributeType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }
}
