// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import io.muster.device.OwnerMark;
import io.muster.json.Fields;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The MQTT topics of a fleet's devices: patterns in which <code>{deviceId}</code>, <code>{fleet}</code> and
 * <code>{serial}</code> stand for the device's own, and <code>{owner}</code> for its owner's mark. Immutable.
 *
 * @param publish the topics that a device may publish to; each has <code>{deviceId}</code> or <code>{serial}</code>, so
 *     that no device speaks as another
 * @param subscribe the topics that it may subscribe to
 */
public record Topics(List<String> publish, List<String> subscribe) {

    /** The topics of a fleet that sets no others. */
    public static final Topics STANDARD =
            new Topics(List.of("muster/{deviceId}/state"), List.of("muster/{deviceId}/command"));

    private static final String DEVICE_ID = "{deviceId}";
    private static final String FLEET = "{fleet}";
    private static final String SERIAL = "{serial}";
    private static final String OWNER = "{owner}";

    // No dot and no asterisk: RabbitMQ takes the one for a slash and the other for a plus. No blank, no dollar sign, no
    // wildcard.
    private static final String LEVEL = "(?:[A-Za-z0-9_:@=~-]|\\{deviceId}|\\{fleet}|\\{serial}|\\{owner})+";
    private static final Pattern PATTERN = Pattern.compile(LEVEL + "(?:/" + LEVEL + ")*");
    private static final Pattern SAFE_SERIAL = Pattern.compile("[A-Za-z0-9_:@=~-]+");
    private static final int LONGEST = 200;
    private static final int MOST = 20;
    private static final SerialNumber LONGEST_SERIAL = new SerialNumber("s".repeat(128));
    private static final DeviceId SOME_DEVICE = new DeviceId("0".repeat(32));
    private static final Optional<OwnerMark> SOME_OWNER = Optional.of(new OwnerMark("0".repeat(32)));
    private static final int AROUND_A_TOPIC = 120;
    private static final String SYNTAX = "a topic of at most " + LONGEST
            + " letters, digits, and _ : @ = ~ - with levels between single slashes, {deviceId}, {fleet}, {serial} and"
            + " {owner} in it";

    /**
     * The topics of one device. They are compared for equality, never as prefixes or patterns.
     *
     * @param publish the topics that it may publish to, in the order of the patterns
     * @param subscribe the topics that it may subscribe to, in the order of the patterns
     */
    public record OfDevice(Set<String> publish, Set<String> subscribe) {

        /** Returns the members of its JSON object. */
        public Map<String, Object> toJson() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("publish", publish);
            json.put("subscribe", subscribe);
            return json;
        }
    }

    /** Reads {@code {"publish": [...], "subscribe": [...]}}. An absent member gets the standard. */
    static Topics read(Fields fields) {
        Topics topics = new Topics(
                patterns(fields, "publish").orElse(STANDARD.publish()),
                patterns(fields, "subscribe").orElse(STANDARD.subscribe()));
        topics.publish().stream()
                .filter(pattern -> !pattern.contains(DEVICE_ID) && !pattern.contains(SERIAL))
                .forEach(pattern -> fields.fault(
                        "publish",
                        "\"" + pattern
                                + "\" has neither {deviceId} nor {serial}: every device could speak as another"));
        fields.end();
        return topics;
    }

    private static Optional<List<String>> patterns(Fields fields, String name) {
        Optional<List<String>> patterns = fields.texts(name, SYNTAX, Topics::isPattern);
        patterns.filter(list -> list.size() > MOST)
                .ifPresent(list -> fields.fault(name, "has more than " + MOST + " topics"));
        return patterns;
    }

    private static boolean isPattern(String text) {
        return text.length() <= LONGEST && PATTERN.matcher(text).matches();
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("publish", publish);
        json.put("subscribe", subscribe);
        return json;
    }

    /**
     * Returns how many characters the topics of a device of this fleet may need in a token, including the syntax around
     * them.
     */
    int spaceInClaims(String fleet) {
        OfDevice longest = of(SOME_DEVICE, fleet, LONGEST_SERIAL, SOME_OWNER);
        return Stream.concat(longest.publish().stream(), longest.subscribe().stream())
                .mapToInt(topic -> topic.length() + AROUND_A_TOPIC)
                .sum();
    }

    /**
     * Returns the topics of one device. A pattern with <code>{serial}</code> gives none if the serial could mean
     * something in a topic, or could be another device's id.
     *
     * @param owner of its owner; if nobody owns the device, a pattern with <code>{owner}</code> gives none
     */
    public OfDevice of(DeviceId device, String fleet, SerialNumber serial, Optional<OwnerMark> owner) {
        Map<String, String> own = new LinkedHashMap<>();
        own.put(FLEET, fleet);
        own.put(DEVICE_ID, device.value());
        owner.ifPresent(mark -> own.put(OWNER, mark.value()));
        // A serial in the form of an id could be another device's id, or the mark of another's owner.
        if (SAFE_SERIAL.matcher(serial.value()).matches() && !DeviceId.isValid(serial.value())) {
            own.put(SERIAL, serial.value());
        }
        return new OfDevice(of(publish, own), of(subscribe, own));
    }

    /** Tells whether the topics of a device change when its owner does. */
    public boolean haveOwner() {
        return Stream.concat(publish.stream(), subscribe.stream()).anyMatch(pattern -> pattern.contains(OWNER));
    }

    /**
     * Returns the topics of all devices at once, for a broker that inserts the id itself.
     *
     * @param placeholder stands for the device's id, which is a level of its own
     * @return empty if a topic contains the serial or the owner, or has the id only as a part of a level
     */
    public Optional<OfDevice> ofEvery(String placeholder, String fleet) {
        boolean can = Stream.concat(publish.stream(), subscribe.stream())
                .flatMap(pattern -> Stream.of(pattern.split("/")))
                .allMatch(level -> level.equals(DEVICE_ID)
                        || Stream.of(DEVICE_ID, SERIAL, OWNER).noneMatch(level::contains));
        return can
                ? Optional.of(new OfDevice(all(publish, placeholder, fleet), all(subscribe, placeholder, fleet)))
                : Optional.empty();
    }

    private static Set<String> all(List<String> patterns, String placeholder, String fleet) {
        return patterns.stream()
                .map(pattern -> pattern.replace(FLEET, fleet).replace(DEVICE_ID, placeholder))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static Set<String> of(List<String> patterns, Map<String, String> own) {
        Set<String> topics = new LinkedHashSet<>();
        for (String pattern : patterns) {
            String topic = pattern;
            for (Map.Entry<String, String> value : own.entrySet()) {
                topic = topic.replace(value.getKey(), value.getValue());
            }
            // Values have no brace, so what is left stands for a value that the device does not have.
            if (topic.indexOf('{') < 0) {
                topics.add(topic);
            }
        }
        return Collections.unmodifiableSet(topics);
    }
}
