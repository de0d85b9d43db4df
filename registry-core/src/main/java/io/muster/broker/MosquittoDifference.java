// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.broker.Dynsec.Client;
import io.muster.broker.Dynsec.Role;
import io.muster.spi.DeviceId;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The differences between a Mosquitto and the registry.
 *
 * @param devices whose logins differ, or have ended and are to be forgotten
 * @param strangers clients with logins that the registry does not know: those that Muster made, and others with roles
 *     of Muster's
 * @param unusedRoles names of roles of Muster's that no login needs, in order
 * @param unheard logins that are right, but not known to have ever been used
 */
record MosquittoDifference(
        Set<DeviceId> devices, List<Client> strangers, List<String> unusedRoles, Set<String> unheard) {

    /**
     * The broker's present state.
     *
     * @param clients all, by their user names
     * @param roles those of Muster's, by their names
     */
    record Actual(Map<String, Client> clients, Map<String, Role> roles) {}

    /**
     * The state that the broker should have of one login.
     *
     * @param ended whether the login is over for good
     * @param isUsed whether it was ever used, as far as is known
     * @param role the role of its client; empty if it is to have no client
     */
    record Desired(String key, DeviceId device, boolean ended, boolean isUsed, Optional<Role> role) {

        Optional<Client> client() {
            return role.map(wanted -> Client.of(key, device, wanted.name()));
        }

        private boolean isIn(Actual actual) {
            return Optional.ofNullable(actual.clients().get(key)).equals(client())
                    && role.map(wanted -> wanted.equals(actual.roles().get(wanted.name())))
                            .orElse(true);
        }
    }

    /**
     * Compares. Does not keep the roles of the logins: each of very many devices may have one of its own.
     *
     * @param desired every login that the registry knows
     * @param kept names of roles that stay, whether a login has them or not
     */
    static MosquittoDifference between(Actual actual, Stream<Desired> desired, Set<String> kept) {
        Set<DeviceId> devices = new LinkedHashSet<>();
        Set<String> unheard = new LinkedHashSet<>();
        Set<String> keys = new HashSet<>();
        Set<String> needed = new HashSet<>(kept);
        desired.forEach(login -> {
            keys.add(login.key());
            login.role().ifPresent(role -> needed.add(role.name()));
            if (login.ended() || !login.isIn(actual)) {
                devices.add(login.device());
            } else if (login.role().isPresent() && !login.isUsed()) {
                unheard.add(login.key());
            }
        });
        return new MosquittoDifference(
                devices,
                actual.clients().values().stream()
                        .filter(client -> !keys.contains(client.user()))
                        .filter(client ->
                                client.isOurs() || client.roles().stream().anyMatch(MosquittoDifference::isOurs))
                        .toList(),
                actual.roles().keySet().stream()
                        .filter(role -> !needed.contains(role))
                        .sorted()
                        .toList(),
                unheard);
    }

    /** Tells whether a role of this name is Muster's. */
    static boolean isOurs(String role) {
        return role.startsWith(Dynsec.PREFIX);
    }
}
