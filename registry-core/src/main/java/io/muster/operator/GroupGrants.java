// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.config.Sources;
import io.muster.user.OperatorProvider;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which group of the company's provider gives which grant: {@code muster.operators.oidc.grants}. A group that is not
 * among them gives nothing.
 */
@Part
public final class GroupGrants {

    private static final String GRANTS = "grants";
    private static final String ROLE = "role";
    private static final String RIGHTS = "rights";
    /** The row of a session has room for so many groups. */
    private static final int MOST = 50;

    private final Map<String, List<Grant>> byGroup = new LinkedHashMap<>();

    /** Reads the settings. Faults go to the settings, whose check reports them. */
    @Inject
    GroupGrants(OperatorProvider provider, Sources sources) {
        provider.settings().ifPresent(settings -> read(settings, sources.names()));
    }

    private void read(Settings settings, Set<String> keys) {
        List<String> names = settings.names(GRANTS, List.of());
        if (names.isEmpty() && !settings.isSet(GRANTS)) {
            settings.fault(GRANTS, "is required: without it, no person has any right");
        }
        if (names.size() > MOST) {
            settings.fault(GRANTS, "has more than " + MOST + " names");
        }
        names.forEach(name -> read(settings.below("grant").below(name)));
        unlisted(keys, names).forEach(name -> {
            settings.fault(GRANTS, "does not list " + name + ", which has settings");
            read(settings.below("grant").below(name));
        });
    }

    private static Set<String> unlisted(Set<String> keys, List<String> names) {
        String prefix = "muster.operators.oidc.grant.";
        Set<String> unlisted = new TreeSet<>();
        for (String key : keys) {
            int end = key.indexOf('.', prefix.length());
            if (key.startsWith(prefix) && end > 0 && Settings.isName(key.substring(prefix.length(), end))) {
                unlisted.add(key.substring(prefix.length(), end));
            }
        }
        names.forEach(unlisted::remove);
        return unlisted;
    }

    private void read(Settings settings) {
        String group = settings.required("group");
        Optional<Role> role = settings.text(ROLE).flatMap(word -> {
            Optional<Role> found = Role.of(word);
            if (found.isEmpty()) {
                settings.fault(
                        ROLE,
                        "\"" + word + "\" is none of "
                                + words(Stream.of(Role.values()).map(Role::word)));
            }
            return found;
        });
        Set<Right> rights = EnumSet.noneOf(Right.class);
        for (String word : settings.list(RIGHTS)) {
            Right.of(word)
                    .ifPresentOrElse(
                            rights::add, () -> settings.fault(RIGHTS, "\"" + word + "\" is no right of an operator"));
        }
        if (settings.isSet(ROLE) == settings.isSet(RIGHTS)) {
            settings.fault(ROLE, "is required, or rights in place of it");
        }
        List<String> named = settings.names("fleets", List.of());
        boolean all = !settings.isSet("fleets");
        if (!all && named.isEmpty()) {
            settings.fault("fleets", "names no fleet");
        }
        if (!all && role.filter(one -> one == Role.ADMIN).isPresent()) {
            settings.fault(ROLE, "admin is for all fleets");
        }
        for (Right right : rights) {
            if (right.isForBrokers()) {
                settings.fault(RIGHTS, right.word() + " is of no use: brokers admit operators with a token alone");
            } else if (!all && !right.isOfOneFleet()) {
                settings.fault(RIGHTS, right.word() + " is for all fleets");
            }
        }
        Grant grant = new Grant(role, rights, all ? Optional.empty() : Optional.of(Set.copyOf(named)));
        byGroup.computeIfAbsent(group, key -> new ArrayList<>()).add(grant);
    }

    private static String words(Stream<String> words) {
        return String.join(", ", words.toList());
    }

    /** Returns those of the groups that give anything, in a fixed order. */
    Set<String> known(Set<String> groups) {
        Set<String> known = new TreeSet<>(groups);
        known.retainAll(byGroup.keySet());
        return known;
    }

    /** Returns what the groups give together. */
    List<Grant> of(Set<String> groups) {
        return known(groups).stream()
                .flatMap(group -> byGroup.get(group).stream())
                .toList();
    }
}
