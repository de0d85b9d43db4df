// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.Device;
import io.muster.device.DeviceState;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The attributes of devices that a filter can name. Their names are read without regard to case, but not the keys of
 * tags and the names of what is below {@code attributes}.
 *
 * @param serials how the fleet spells its serials
 */
public record DeviceFields(SerialForm serials) implements Schema {

    static final String SERIAL = "serial";
    static final String NAME = "name";
    static final String STATE = "state";
    static final String ID = "deviceId";
    static final String CREATED_AT = "createdAt";
    static final String TAGS = "tags.";
    static final String ATTRIBUTES = "attributes.";

    private static final List<Field> OWN = List.of(
            Field.of(SERIAL, Field.Kind.TEXT),
            Field.of(NAME, Field.Kind.TEXT),
            new Field(
                    STATE,
                    Field.Kind.WORD,
                    Stream.of(DeviceState.values()).map(DeviceState::word).toList()),
            Field.of(ID, Field.Kind.ID),
            Field.of(CREATED_AT, Field.Kind.TIME),
            // These are tags.
            Field.of(DeviceTag.LOT, Field.Kind.TEXT),
            Field.of(DeviceTag.OWNER, Field.Kind.TEXT),
            Field.of(DeviceTag.GROUP, Field.Kind.TEXT));

    @Override
    public String names() {
        return "serial, name, state, deviceId, createdAt, lot, owner, group, tags.<key> and attributes.<name>";
    }

    @Override
    public String stored(Field field, String text) {
        return field.name().equals(SERIAL)
                ? serials.of(text).map(SerialNumber::value).orElse(text)
                : text;
    }

    @Override
    public Optional<Field> find(String name) {
        return named(name);
    }

    private static Optional<Field> named(String name) {
        return OWN.stream()
                .filter(field -> field.name().equalsIgnoreCase(name))
                .findFirst()
                .or(() -> member(name, TAGS, Field.Kind.TEXT))
                .or(() -> member(name, ATTRIBUTES, Field.Kind.ANY));
    }

    private static Optional<Field> member(String name, String prefix, Field.Kind kind) {
        if (!name.regionMatches(true, 0, prefix, 0, prefix.length())) {
            return Optional.empty();
        }
        String key = name.substring(prefix.length());
        if (prefix.equals(TAGS) && key.equals(DeviceTag.SERIAL)) {
            return named(SERIAL);
        }
        return Optional.of(key).filter(Storable::isMemberName).map(valid -> Field.of(prefix + valid, kind));
    }

    /** Returns the key of the tag that a field is, or empty. */
    static Optional<String> tag(String field) {
        if (field.startsWith(TAGS)) {
            return Optional.of(field.substring(TAGS.length()));
        }
        return Optional.of(field)
                .filter(name ->
                        name.equals(DeviceTag.LOT) || name.equals(DeviceTag.OWNER) || name.equals(DeviceTag.GROUP));
    }

    /** Returns the value of a field of a device. */
    static Object value(Field field, Device device, Map<String, String> tags) {
        return switch (field.name()) {
            case SERIAL -> device.serial().value();
            case NAME -> device.name();
            case STATE -> device.state().word();
            case ID -> device.id().value();
            case CREATED_AT -> device.createdAt();
            default ->
                tag(field.name())
                        .<Object>map(tags::get)
                        .orElseGet(() -> field.name().startsWith(ATTRIBUTES)
                                ? device.attributes().get(field.name().substring(ATTRIBUTES.length()))
                                : null);
        };
    }
}
