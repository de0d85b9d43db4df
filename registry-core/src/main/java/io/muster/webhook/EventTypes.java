// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.audit.Audit;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The types of events that webhooks can get: whatever is recorded about one fleet, and admissions. */
public final class EventTypes {

    /** The type of what the test button sends. */
    static final String TEST = "test";

    /** These are of no fleet. */
    private static final Set<Audit.Type> OF_NO_FLEET = EnumSet.of(
            Audit.Type.REFUSALS_NOT_RECORDED,
            Audit.Type.SIGNING_KEY_CREATED,
            Audit.Type.SIGNING_KEYS_REPLACED,
            Audit.Type.SEAL_KEY_REPLACED,
            Audit.Type.OPERATOR_CREATED,
            Audit.Type.OPERATOR_RECOVERED,
            Audit.Type.OPERATOR_REVOKED);

    private static final List<String> ALL = Stream.concat(
                    Stream.of(Audit.REGISTERED, Audit.REGISTERED_AGAIN),
                    Arrays.stream(Audit.Type.values())
                            .filter(type -> !OF_NO_FLEET.contains(type))
                            .map(Audit.Type::word))
            .sorted()
            .toList();

    private EventTypes() {}

    /** Returns the words of all types, in their order. */
    public static List<String> all() {
        return ALL;
    }

    static String stored(Optional<List<String>> types) {
        return types.map(words -> String.join(" ", words)).orElse(null);
    }

    static Optional<List<String>> ofStored(String words) {
        return Optional.ofNullable(words).map(some -> List.of(some.split(" ")));
    }
}
