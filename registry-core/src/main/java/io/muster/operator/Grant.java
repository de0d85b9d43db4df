// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Gives a role or rights, for all fleets or for named ones. Without a grant for a fleet, everything in it is invisible.
 *
 * @param role the role, if it gives one
 * @param rights the rights that it gives otherwise; empty with a role
 * @param fleets the fleets; empty for all of them, also those that are made later
 */
public record Grant(Optional<Role> role, Set<Right> rights, Optional<Set<String>> fleets) {

    private static final int MAX_STORED = 8000;
    private static final String ROLE = "role";
    private static final String RIGHTS = "rights";
    private static final String FLEETS = "fleets";

    /** Copies the sets. */
    public Grant {
        rights = Set.copyOf(rights);
        fleets = fleets.map(Set::copyOf);
    }

    /** Gives rights for all fleets. */
    public static Grant everywhere(Set<Right> rights) {
        return new Grant(Optional.empty(), rights, Optional.empty());
    }

    /** Reads what a version wrote that knew no grants. There, the right to write serials was one to write lots too. */
    static Grant ofEarlierVersion(String rights) {
        Set<Right> all = EnumSet.noneOf(Right.class);
        all.addAll(Right.ofStored(rights));
        if (all.contains(Right.SERIALS_WRITE)) {
            all.add(Right.LOTS_WRITE);
        }
        return everywhere(all);
    }

    /** Returns the rights that it gives. For named fleets these are only rights that one fleet can have. */
    public Set<Right> given() {
        Set<Right> given = EnumSet.noneOf(Right.class);
        given.addAll(role.map(Role::rights).orElse(rights));
        if (fleets.isPresent()) {
            given.removeIf(right -> !right.isOfOneFleet());
        }
        return given;
    }

    /** Tells whether it is for a fleet; null stands for what concerns no fleet. */
    boolean isFor(String fleet) {
        return fleets.map(names -> fleet != null && names.contains(fleet)).orElse(true);
    }

    /** Returns its members for the wire. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        role.ifPresentOrElse(
                one -> json.put(ROLE, one.word()),
                () -> json.put(RIGHTS, rights.stream().map(Right::word).sorted().toList()));
        fleets.ifPresent(names -> json.put(FLEETS, new TreeSet<>(names)));
        return json;
    }

    /** Tells whether there is no room for all of these. */
    public static boolean isTooLong(List<Grant> grants) {
        return stored(grants).length() > MAX_STORED;
    }

    static String stored(List<Grant> grants) {
        return new String(Json.bytes(grants.stream().map(Grant::toJson).toList()), StandardCharsets.UTF_8);
    }

    static List<Grant> ofStored(String text) {
        List<Grant> grants = new ArrayList<>();
        for (JsonNode one : Json.parse(text.getBytes(StandardCharsets.UTF_8))) {
            // A later version may know more roles and rights. To this one they mean nothing.
            Optional<Role> role = Optional.ofNullable(one.get(ROLE)).flatMap(word -> Role.of(word.asText()));
            Set<Right> rights = EnumSet.noneOf(Right.class);
            texts(one.path(RIGHTS)).map(Right::of).flatMap(Optional::stream).forEach(rights::add);
            grants.add(new Grant(
                    role,
                    rights,
                    Optional.ofNullable(one.get(FLEETS))
                            .map(names -> Set.copyOf(texts(names).toList()))));
        }
        return List.copyOf(grants);
    }

    private static Stream<String> texts(JsonNode array) {
        Collection<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts.stream();
    }
}
