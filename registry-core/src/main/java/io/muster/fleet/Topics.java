package io.muster.fleet;

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
 * The MQTT topics of a fleet's devices: patterns in which <code>{deviceId}</code>, <code>{fleet}</code> and <code>{serial}</code>
 * stand for the device's own. Immutable.
 *
 * @param publish what a device may publish to; each has <code>{deviceId}</code> or <code>{serial}</code>, so that no device speaks as
 *     another
 * @param subscribe what it may subscribe to
 */
public record Topics(List<String> publish, List<String> subscribe) {

    /** The topics of a fleet that says nothing else. */
    public static final Topics STANDARD =
            new Topics(List.of("muster/{deviceId}/state"), List.of("muster/{deviceId}/command"));

    private static final String DEVICE_ID = "{deviceId}";
    private static final String FLEET = "{fleet}";
    private static final String SERIAL = "{serial}";

    // No dot and no asterisk: RabbitMQ takes the one for a slash and the other for a plus. No blank, no dollar sign, no
    // wildcard.
    private static final String LEVEL = "(?:[A-Za-z0-9_:@=~-]|\\{deviceId}|\\{fleet}|\\{serial})+";
    private static final Pattern PATTERN = Pattern.compile(LEVEL + "(?:/" + LEVEL + ")*");
    private static final Pattern SAFE_SERIAL = Pattern.compile("[A-Za-z0-9_:@=~-]+");
    private static final int LONGEST = 200;
    private static final int MOST = 20;
    private static final SerialNumber LONGEST_SERIAL = new SerialNumber("s".repeat(128));
    private static final DeviceId SOME_DEVICE = new DeviceId("0".repeat(32));
    private static final int AROUND_A_TOPIC = 120;
    private static final String SYNTAX = "a topic of at most " + LONGEST
            + " letters, digits, and _ : @ = ~ - with levels between single slashes, {deviceId}, {fleet} and {serial} in it";

    /**
     * The topics of one device. Compared for equality, never as prefixes or patterns.
     *
     * @param publish what it may publish to, in the order of the patterns
     * @param subscribe what it may subscribe to, in the order of the patterns
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

    /** Reads {@code {"publish": [...], "subscribe": [...]}}; a member that is absent has its standard. */
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

    /** Returns how many characters the topics of a device of this fleet may need in a token, with what is around each. */
    int spaceInClaims(String fleet) {
        OfDevice longest = of(SOME_DEVICE, fleet, LONGEST_SERIAL);
        return Stream.concat(longest.publish().stream(), longest.subscribe().stream())
                .mapToInt(topic -> topic.length() + AROUND_A_TOPIC)
                .sum();
    }

    /**
     * Returns the topics of one device. A pattern with <code>{serial}</code> gives none to a device whose serial could mean something
     * in a topic, or be another device's id.
     */
    public OfDevice of(DeviceId device, String fleet, SerialNumber serial) {
        return new OfDevice(of(publish, device, fleet, serial), of(subscribe, device, fleet, serial));
    }

    /**
     * Returns the topics of all devices at once, for whoever puts the id in himself.
     *
     * @param placeholder what stands for the device's id, which is a level of its own
     * @return empty if a topic has the serial in it, or the id only as a part of a level
     */
    public Optional<OfDevice> ofEvery(String placeholder, String fleet) {
        boolean can = Stream.concat(publish.stream(), subscribe.stream())
                .flatMap(pattern -> Stream.of(pattern.split("/")))
                .allMatch(level -> level.equals(DEVICE_ID) || !level.contains(DEVICE_ID) && !level.contains(SERIAL));
        return can
                ? Optional.of(new OfDevice(all(publish, placeholder, fleet), all(subscribe, placeholder, fleet)))
                : Optional.empty();
    }

    private static Set<String> all(List<String> patterns, String placeholder, String fleet) {
        return patterns.stream()
                .map(pattern -> pattern.replace(FLEET, fleet).replace(DEVICE_ID, placeholder))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static Set<String> of(List<String> patterns, DeviceId device, String fleet, SerialNumber serial) {
        boolean safe = SAFE_SERIAL.matcher(serial.value()).matches() && !DeviceId.isValid(serial.value());
        Set<String> topics = new LinkedHashSet<>();
        for (String pattern : patterns) {
            if (safe || !pattern.contains(SERIAL)) {
                topics.add(pattern.replace(FLEET, fleet)
                        .replace(DEVICE_ID, device.value())
                        .replace(SERIAL, serial.value()));
            }
        }
        return Collections.unmodifiableSet(topics);
    }
}
