// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.fleet.Fleets;
import io.muster.json.Fields;
import io.muster.operator.Grant;
import io.muster.operator.Right;
import io.muster.operator.Role;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The members of a request that say what an operator may do and until when: {@code grants}, or {@code rights} for all
 * fleets, and {@code expiresAt}.
 */
record GrantsBody(List<Grant> grants, Optional<Instant> expiresAt) {

    private static final String GRANTS = "grants";
    private static final String ROLE = "role";
    private static final String RIGHTS = "rights";
    private static final String FLEETS = "fleets";
    private static final String EXPIRES_AT = "expiresAt";
    private static final int MOST_GRANTS = 20;
    private static final int MOST_FLEETS = 100;

    private static final String ROLE_WORDS =
            String.join(", ", Stream.of(Role.values()).map(Role::word).toList());
    private static final String RIGHT_WORDS =
            String.join(", ", Stream.of(Right.values()).map(Right::word).toList());
    private static final String OF_ONE_FLEET = String.join(
            ", ",
            Stream.of(Right.values())
                    .filter(Right::isOfOneFleet)
                    .map(Right::word)
                    .toList());

    /** Reads the members; faults stay with the fields. */
    static GrantsBody read(Fields fields, Fleets fleets, Instant now) {
        Optional<List<Right>> rights = rights(fields);
        Optional<List<Fields>> objects = fields.objects(
                GRANTS, "an array of 1 to " + MOST_GRANTS + " grants", size -> size >= 1 && size <= MOST_GRANTS);
        List<Grant> grants = new ArrayList<>();
        if (fields.names().contains(RIGHTS) == fields.names().contains(GRANTS)) {
            fields.fault(GRANTS, "is required, or rights in place of it");
        }
        rights.ifPresent(all -> grants.add(Grant.everywhere(Set.copyOf(all))));
        objects.ifPresent(all -> all.forEach(one -> grants.add(grant(one, fleets))));
        if (Grant.isTooLong(grants)) {
            fields.fault(GRANTS, "is too long");
        }
        Optional<Instant> expiresAt = fields.time(EXPIRES_AT);
        if (expiresAt.filter(end -> !end.isAfter(now)).isPresent()) {
            fields.fault(EXPIRES_AT, "must be in the future");
        }
        if (expiresAt.isPresent()
                && grants.stream().anyMatch(grant -> grant.given().stream().anyMatch(Right::isForBrokers))) {
            fields.fault(
                    EXPIRES_AT,
                    "must be absent with mqtt:read, mqtt:write or mqtt:admin: brokers keep connections open");
        }
        fields.refuseNulls();
        return new GrantsBody(grants, expiresAt);
    }

    private static Optional<List<Right>> rights(Fields fields) {
        return fields.meanings(
                RIGHTS, "an array of at least one right", size -> size > 0, "one of " + RIGHT_WORDS, Right::of);
    }

    private static Grant grant(Fields fields, Fleets known) {
        Optional<Role> role = fields.meaning(ROLE, "one of " + ROLE_WORDS, Role::of);
        Optional<List<Right>> rights = rights(fields);
        Optional<List<String>> fleets = fields.meanings(
                FLEETS,
                "an array of 1 to " + MOST_FLEETS + " names of fleets",
                size -> size >= 1 && size <= MOST_FLEETS,
                "the name of a fleet that exists",
                name -> known.find(name).map(fleet -> name));
        if (fields.names().contains(ROLE) == fields.names().contains(RIGHTS)) {
            fields.fault(ROLE, "is required, or rights in place of it");
        }
        if (fleets.isPresent()) {
            if (role.filter(one -> one == Role.ADMIN).isPresent()) {
                fields.fault(ROLE, "admin is for all fleets");
            }
            if (rights.stream().flatMap(List::stream).anyMatch(right -> !right.isOfOneFleet())) {
                fields.fault(RIGHTS, "for named fleets must be among " + OF_ONE_FLEET);
            }
        }
        fields.refuseNulls();
        fields.end();
        return new Grant(role, Set.copyOf(rights.orElse(List.of())), fleets.map(Set::copyOf));
    }
}
