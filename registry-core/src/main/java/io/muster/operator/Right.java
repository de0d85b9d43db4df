package io.muster.operator;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What an operator's token permits. */
public enum Right {
    /** Read devices and events. */
    DEVICES_READ,
    /** Disable and enable devices. */
    DEVICES_WRITE,
    /** Read expected serials and lots. */
    SERIALS_READ,
    /** Import, block and unblock expected serials, and write lots. */
    SERIALS_WRITE,
    /** Read fleets, and explain what would happen to a serial. */
    FLEETS_READ,
    /** Write fleets: who may register and how. */
    FLEETS_WRITE,
    /** Make, list and revoke enrolment keys, and make registration tokens. */
    KEYS_WRITE,
    /** List signing keys and rotate them. */
    SIGNING_WRITE,
    /** Ask whether a device's access token is good: what a resource server needs, and all it needs. */
    INTROSPECT,
    /** Subscribe to every topic at a broker, as a program does that collects what devices send. */
    MQTT_READ,
    /** Publish to every topic at a broker. */
    MQTT_WRITE,
    /** Look at a broker and change it, by its own management. */
    MQTT_ADMIN,
    /** Read what is measured. */
    METRICS_READ,
    /** Make and revoke operators. */
    OPERATORS_WRITE;

    /** Returns the word for the wire, such as {@code devices:read}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', ':');
    }

    /** Returns the right of a word, or empty if there is none. */
    public static Optional<Right> of(String word) {
        return Stream.of(values()).filter(right -> right.word().equals(word)).findFirst();
    }

    static String stored(Set<Right> rights) {
        return rights.stream().map(Right::word).sorted().collect(Collectors.joining(" "));
    }

    static Set<Right> ofStored(String words) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        for (String word : words.split(" ")) {
            of(word).ifPresent(rights::add);
        }
        return Set.copyOf(rights);
    }
}
