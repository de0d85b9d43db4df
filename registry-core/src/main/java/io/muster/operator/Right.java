// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The rights of an operator's token. */
public enum Right {
    /** Read devices and events. */
    DEVICES_READ,
    /** Disable and enable devices. */
    DEVICES_WRITE,
    /** Read the queue of candidates that wait for an operator. */
    APPROVALS_READ,
    /** Approve and reject candidates. */
    APPROVALS_WRITE,
    /** Read expected serials and lots. */
    SERIALS_READ,
    /** Import, block and unblock expected serials. */
    SERIALS_WRITE,
    /** Write lots. */
    LOTS_WRITE,
    /** Read fleets, and explain what would happen to a serial. */
    FLEETS_READ,
    /** Write fleets, and so the rules by which devices register. */
    FLEETS_WRITE,
    /** Read webhooks, and what was sent to them. */
    WEBHOOKS_READ,
    /** Write webhooks, and have things sent to them. */
    WEBHOOKS_WRITE,
    /** Read jobs and their results. */
    JOBS_READ,
    /** Make, list and revoke enrolment keys, and make registration tokens. */
    KEYS_WRITE,
    /** List signing keys and rotate them. */
    SIGNING_WRITE,
    /** Ask whether a device's access token is good. A resource server needs this right, and no other. */
    INTROSPECT,
    /** Subscribe to every topic at a broker, for a program that collects the messages of devices. */
    MQTT_READ,
    /** Publish to every topic at a broker. */
    MQTT_WRITE,
    /** Look at a broker and change it, with its own management. */
    MQTT_ADMIN,
    /** Read the measurements. */
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

    /**
     * Tells whether it can be granted for named fleets. The other rights concern the registry, or brokers that all
     * fleets share.
     */
    public boolean isOfOneFleet() {
        return switch (this) {
            case SIGNING_WRITE, MQTT_READ, MQTT_WRITE, MQTT_ADMIN, METRICS_READ, OPERATORS_WRITE -> false;
            default -> true;
        };
    }

    /** Tells whether brokers admit an operator with this right. */
    public boolean isForBrokers() {
        return this == MQTT_READ || this == MQTT_WRITE || this == MQTT_ADMIN;
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
