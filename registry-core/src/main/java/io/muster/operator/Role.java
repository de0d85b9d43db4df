// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A named set of rights. Each role has the rights of the one before it. The rights of a role depend on the version
 * of the registry: a right that is new in a version belongs to its roles at once.
 */
public enum Role {
    /** Reads everything about fleets and their devices, and changes nothing. */
    VIEWER,
    /** Runs a fleet, but does not change its policy. */
    OPERATOR,
    /** Also writes fleets, lots, webhooks and enrolment keys. */
    MANAGER,
    /** Has every right. */
    ADMIN;

    /** Returns its rights where it is granted for all fleets. */
    Set<Right> rights() {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        for (Right right : Right.values()) {
            if (least(right).compareTo(this) <= 0) {
                rights.add(right);
            }
        }
        return rights;
    }

    /** Returns the least role that has a right. */
    private static Role least(Right right) {
        return switch (right) {
            case DEVICES_READ, APPROVALS_READ, SERIALS_READ, FLEETS_READ, JOBS_READ, WEBHOOKS_READ, METRICS_READ ->
                VIEWER;
            case DEVICES_WRITE, APPROVALS_WRITE, SERIALS_WRITE -> OPERATOR;
            case FLEETS_WRITE, LOTS_WRITE, WEBHOOKS_WRITE, KEYS_WRITE -> MANAGER;
            case SIGNING_WRITE, INTROSPECT, MQTT_READ, MQTT_WRITE, MQTT_ADMIN, OPERATORS_WRITE -> ADMIN;
        };
    }

    /** Returns the word for the wire. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns the role of a word, or empty if there is none. */
    public static Optional<Role> of(String word) {
        return Stream.of(values()).filter(role -> role.word().equals(word)).findFirst();
    }
}
