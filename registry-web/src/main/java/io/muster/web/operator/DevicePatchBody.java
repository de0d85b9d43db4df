// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.config.MusterConfig.AttributeType;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.fleet.FleetDocument;
import io.muster.json.Fields;
import io.muster.lifecycle.DevicePatch;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A merge patch (RFC 7396) of a device, {@code {"name": "...", "tags": {...}, "attributes": {...}}}, read into a change
 * or into every fault it has. A null removes.
 */
final class DevicePatchBody {

    private static final String NAME = "name";
    private static final String TAGS = "tags";
    private static final String ATTRIBUTES = "attributes";

    private DevicePatchBody() {}

    /**
     * Reads a patch.
     *
     * @param fleet the document of the device's fleet
     * @throws io.muster.problem.RegistryException {@code INVALID_REQUEST} with every fault
     */
    static DevicePatch parse(byte[] body, FleetDocument fleet) {
        Fields fields = Fields.of(body);
        Optional<Optional<String>> name = Optional.empty();
        if (fields.names().contains(NAME)) {
            Optional<String> text = fields.text(NAME);
            text.flatMap(Storable::nameFault).ifPresent(fault -> fields.fault(NAME, fault));
            name = Optional.of(text);
        }
        Map<String, Optional<String>> tags = tags(fields, fleet);
        Map<String, Optional<Object>> attributes = attributes(fields, fleet);
        if (name.isEmpty()
                && tags.isEmpty()
                && attributes.isEmpty()
                && fields.faults().isEmpty()) {
            fields.fault(NAME, "or tags or attributes are required");
        }
        fields.check();
        return new DevicePatch(name, tags, attributes);
    }

    /** Reads the tags to set, and those to remove, which are null. */
    static Map<String, Optional<String>> tags(Fields fields, FleetDocument fleet) {
        Map<String, Optional<String>> tags = new LinkedHashMap<>();
        fields.object(TAGS)
                .ifPresent(members -> members.names().forEach(tag -> tags.put(tag, tag(members, tag, fleet))));
        return tags;
    }

    private static Optional<String> tag(Fields members, String tag, FleetDocument fleet) {
        Optional<String> text = members.text(tag);
        if (!Storable.isMemberName(tag)) {
            members.fault(tag, "its name must be " + Storable.MEMBER_NAME);
        } else if (DeviceTag.OWN.contains(tag)
                || fleet.wire().serialTag().filter(tag::equals).isPresent()) {
            members.fault(tag, "is a tag of the registry's own");
        } else {
            text.flatMap(Storable::tagFault).ifPresent(fault -> members.fault(tag, fault));
        }
        return text;
    }

    private static Map<String, Optional<Object>> attributes(Fields fields, FleetDocument fleet) {
        Map<String, Optional<Object>> attributes = new LinkedHashMap<>();
        Optional<Fields> members = fields.object(ATTRIBUTES);
        Map<String, Object> values =
                members.isPresent() ? fields.any(ATTRIBUTES).orElse(Map.of()) : Map.of();
        members.ifPresent(given -> {
            for (String name : given.names()) {
                Optional<Object> value = Optional.ofNullable(values.get(name));
                fault(name, value, fleet).ifPresent(fault -> given.fault(name, fault));
                attributes.put(name, value);
            }
        });
        return attributes;
    }

    private static Optional<String> fault(String name, Optional<Object> value, FleetDocument fleet) {
        if (!Storable.isMemberName(name)) {
            return Optional.of("its name must be " + Storable.MEMBER_NAME);
        }
        AttributeType declared = fleet.types().get(name);
        return value.flatMap(given -> {
            boolean single = given instanceof String || given instanceof Number || given instanceof Boolean;
            if (!single) {
                return Optional.of("must be a string, a number, true or false");
            }
            if (declared != null && !isOf(declared, given)) {
                return Optional.of("must be a " + declared.name().toLowerCase(Locale.ROOT) + ", as the fleet declares");
            }
            return Storable.attributeFault(given);
        });
    }

    private static boolean isOf(AttributeType type, Object value) {
        return switch (type) {
            case STRING -> value instanceof String;
            case NUMBER -> value instanceof Number;
            case BOOLEAN -> value instanceof Boolean;
        };
    }
}
