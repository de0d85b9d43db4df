// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.config.MusterConfig.AttributeType;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.spi.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The data that a fleet gives each of its devices: name, tags and attributes once, at its admission, and the configuration
 * whenever it asks. {@code docs/templates.md} describes it.
 *
 * @param name the name of a device for which no verifier has one
 * @param tags the tags of a device for which no verifier has them
 * @param attributes the declared attributes
 * @param configuration the values that it is told
 */
record DeviceTemplate(
        Optional<TemplateText> name,
        Map<String, TemplateText> tags,
        Map<String, AttributeRule> attributes,
        Map<String, TemplateText> configuration) {

    static final DeviceTemplate NONE = new DeviceTemplate(Optional.empty(), Map.of(), Map.of(), Map.of());

    /**
     * The values of placeholders for one device.
     *
     * @param serial as it is shown to people
     */
    record Values(String serial, Optional<String> lot, Map<String, Object> attributes) {

        Optional<String> of(String value) {
            return switch (value) {
                case "serial" -> Optional.of(serial);
                case "lot" -> lot;
                default ->
                    Optional.ofNullable(attributes.get(value.substring("attribute.".length())))
                            .map(found -> found instanceof String text ? text : Json.text(found));
            };
        }
    }

    /**
     * Reads the member {@code template} of a document.
     *
     * @param types the attributes that the document declares beside the template
     * @param serialTag the tag that the registry writes for the fleet's wire shape
     */
    static DeviceTemplate read(Fields fields, Map<String, AttributeType> types, Optional<String> serialTag) {
        Map<String, AttributeRule> attributes = attributes(fields, types);
        Predicate<String> isAttribute = found -> attributes.containsKey(found) || types.containsKey(found);
        DeviceTemplate template = new DeviceTemplate(
                text(fields, "name", isAttribute),
                texts(fields, "tags", isAttribute, (members, tag) -> {
                    if (!Storable.isMemberName(tag)) {
                        return Optional.of("its name must be " + Storable.MEMBER_NAME);
                    }
                    return DeviceTag.OWN.contains(tag)
                                    || serialTag.filter(tag::equals).isPresent()
                            ? Optional.of("is a tag of the registry's own")
                            : Optional.empty();
                }),
                attributes,
                texts(
                        fields,
                        "configuration",
                        isAttribute,
                        (members, member) -> member.isBlank() || member.length() > 64 || !Json.isStorable(member)
                                ? Optional.of("its name must be 1 to 64 characters")
                                : Optional.empty()));
        fields.refuseNulls();
        fields.end();
        return template;
    }

    private static Map<String, AttributeRule> attributes(Fields fields, Map<String, AttributeType> types) {
        Map<String, AttributeRule> attributes = new LinkedHashMap<>();
        fields.object("attributes").ifPresent(members -> {
            for (String member : bounded(fields, "attributes", members)) {
                if (!Storable.isMemberName(member)) {
                    members.fault(member, "its name must be " + Storable.MEMBER_NAME);
                }
                if (types.containsKey(member)) {
                    members.fault(member, "is declared in #/attributes already");
                }
                Optional<Fields> rule = members.object(member);
                rule.ifPresent(found -> attributes.put(member, AttributeRule.read(found)));
            }
            members.refuseNulls();
            members.end();
        });
        return attributes;
    }

    private interface NameRule {
        Optional<String> fault(Fields members, String name);
    }

    private static Map<String, TemplateText> texts(
            Fields fields, String name, Predicate<String> isAttribute, NameRule rule) {
        Map<String, TemplateText> texts = new LinkedHashMap<>();
        fields.object(name).ifPresent(members -> {
            for (String member : bounded(fields, name, members)) {
                Optional<TemplateText> text = text(members, member, isAttribute);
                rule.fault(members, member).ifPresent(fault -> members.fault(member, fault));
                text.ifPresent(found -> texts.put(member, found));
            }
            members.refuseNulls();
            members.end();
        });
        return texts;
    }

    private static List<String> bounded(Fields fields, String name, Fields members) {
        List<String> names = members.names();
        if (names.size() > Storable.MAX_MEMBERS) {
            fields.fault(name, "has more than " + Storable.MAX_MEMBERS + " members");
        }
        return names;
    }

    private static Optional<TemplateText> text(Fields fields, String name, Predicate<String> isAttribute) {
        List<TemplateText.FaultyPlace> faults = new ArrayList<>();
        Optional<TemplateText> text = fields.text(name).map(found -> TemplateText.read(found, isAttribute, faults));
        faults.forEach(fault -> fields.fault(name, "at character " + fault.character() + ": " + fault.detail()));
        return text;
    }

    /**
     * Returns the data of a new device: those that verifiers know, and those that the template adds.
     *
     * @param leftOut told of every text of the template that cannot be stored, and why
     */
    Verdict.Genuine complete(Verdict.Genuine known, String serial, LeftOut leftOut) {
        if (equals(NONE)) {
            return known;
        }
        Map<String, Object> all = new LinkedHashMap<>(known.attributes());
        attributes.forEach((attribute, rule) -> rule.initial()
                .filter(value -> !known.attributes().containsKey(attribute))
                .ifPresent(value -> {
                    all.put(attribute, value);
                    Storable.membersFault(all).ifPresent(fault -> {
                        all.remove(attribute);
                        leftOut.text("#/template/attributes/" + attribute, "the device " + fault);
                    });
                }));
        Values values = new Values(serial, Optional.ofNullable(known.tags().get(DeviceTag.LOT)), all);
        Map<String, String> tagged = new LinkedHashMap<>(known.tags());
        tags.forEach((tag, text) -> {
            if (tagged.containsKey(tag)) {
                return;
            }
            fill(text, values, Storable::tagFault, "#/template/tags/" + tag, leftOut)
                    .filter(filled -> {
                        boolean room = tagged.size() < Storable.MAX_MEMBERS;
                        if (!room) {
                            leftOut.text("#/template/tags/" + tag, "the device has as many tags as it may");
                        }
                        return room;
                    })
                    .ifPresent(filled -> tagged.put(tag, filled));
        });
        Optional<String> named = known.name()
                .or(() -> name.flatMap(text -> fill(text, values, Storable::nameFault, "#/template/name", leftOut)));
        return new Verdict.Genuine(named, tagged, all);
    }

    /** Returns the values for one device. */
    Map<String, String> configuration(Values values, LeftOut leftOut) {
        Map<String, String> filled = new TreeMap<>();
        configuration.forEach((member, text) -> fill(
                        text,
                        values,
                        DeviceTemplate::valueFault,
                        "#/template/configuration/" + member.replace("~", "~0").replace("/", "~1"),
                        leftOut)
                .ifPresent(value -> filled.put(member, value)));
        return filled;
    }

    private static Optional<String> valueFault(String text) {
        return text.length() <= TemplateText.MAX_TEXT
                ? Optional.empty()
                : Optional.of("must have at most " + TemplateText.MAX_TEXT + " characters");
    }

    private static Optional<String> fill(
            TemplateText text,
            Values values,
            Function<String, Optional<String>> fault,
            String pointer,
            LeftOut leftOut) {
        Optional<String> filled = text.fill(values::of);
        if (filled.isEmpty()) {
            leftOut.text(pointer, "a placeholder has no value");
        }
        return filled.filter(result -> {
            Optional<String> found = fault.apply(result);
            found.ifPresent(detail -> leftOut.text(pointer, "the result " + detail));
            return found.isEmpty();
        });
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        name.ifPresent(text -> json.put("name", text.text()));
        json.put("tags", texts(tags));
        Map<String, Object> rules = new LinkedHashMap<>();
        attributes.forEach((attribute, rule) -> rules.put(attribute, rule.toJson()));
        json.put("attributes", rules);
        json.put("configuration", texts(configuration));
        return json;
    }

    private static Map<String, String> texts(Map<String, TemplateText> members) {
        Map<String, String> texts = new LinkedHashMap<>();
        members.forEach((name, text) -> texts.put(name, text.text()));
        return texts;
    }
}
