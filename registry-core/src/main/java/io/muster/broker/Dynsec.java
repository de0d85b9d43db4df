// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.fleet.Topics;
import io.muster.spi.DeviceId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The commands of Mosquitto's plug-in for dynamic security, and the names that mark Muster's own clients and roles
 * there.
 */
final class Dynsec {

    /** The prefix of each role of Muster's; no other role has it. */
    static final String PREFIX = "muster-";

    /** The text name of each client that Muster made. */
    static final String MARK = "Muster";

    private static final String FLEET = PREFIX + "fleet-";

    private Dynsec() {}

    /**
     * A rule of a role.
     *
     * @param type the action, such as {@code publishClientSend}
     * @param priority the greater one is asked first
     */
    record Acl(String type, String topic, int priority, boolean allow) {}

    /** A role: the rights of its clients. */
    record Role(String name, Set<Acl> acls) {

        static Role read(JsonNode json) {
            Set<Acl> acls = new HashSet<>();
            json.path("acls")
                    .forEach(acl -> acls.add(new Acl(
                            acl.path("acltype").asText(),
                            acl.path("topic").asText(),
                            acl.path("priority").asInt(),
                            acl.path("allow").asBoolean())));
            return new Role(json.path("rolename").asText(), Set.copyOf(acls));
        }

        Map<String, Object> command(String command) {
            List<Map<String, Object>> list = new ArrayList<>();
            for (Acl acl : acls) {
                list.add(Map.of(
                        "acltype", acl.type(),
                        "topic", acl.topic(),
                        "priority", acl.priority(),
                        "allow", acl.allow()));
            }
            return Map.of("command", command, "rolename", name, "acls", list);
        }
    }

    /**
     * A client, which is a login.
     *
     * @param clientId the only one that it may connect with; empty for any
     * @param textName for people
     * @param isPlain whether it is neither disabled nor in a group
     */
    record Client(String user, String clientId, String textName, Set<String> roles, boolean isPlain) {

        static Client of(String user, DeviceId device, String role) {
            return new Client(user, device.value(), MARK, Set.of(role), true);
        }

        static Client read(JsonNode json) {
            Set<String> roles = new TreeSet<>();
            json.path("roles").forEach(role -> roles.add(role.path("rolename").asText()));
            return new Client(
                    json.path("username").asText(),
                    json.path("clientid").asText(),
                    json.path("textname").asText(),
                    Set.copyOf(roles),
                    !json.path("disabled").asBoolean() && json.path("groups").isEmpty());
        }

        /** Tells whether Muster made it. */
        boolean isOurs() {
            return textName.equals(MARK);
        }

        Map<String, Object> create(String password) {
            Map<String, Object> command = new LinkedHashMap<>();
            command.put("command", "createClient");
            command.put("username", user);
            command.put("password", password);
            command.put("clientid", clientId);
            command.put("textname", textName);
            command.put(
                    "roles",
                    roles.stream().map(role -> Map.of("rolename", role)).toList());
            return command;
        }
    }

    /** Returns the name of the role for one device. */
    static String roleOf(DeviceId device) {
        return PREFIX + device.value();
    }

    /** Returns the device of such a role, or empty. */
    static Optional<DeviceId> device(String role) {
        return Optional.of(role.substring(PREFIX.length()))
                .filter(DeviceId::isValid)
                .map(DeviceId::new);
    }

    /** Returns the role for one device, with the device's own topics. */
    static Role role(DeviceId device, Topics.OfDevice topics) {
        return role(roleOf(device), "subscribeLiteral", topics);
    }

    /**
     * Returns the one role that fits all devices of a fleet; empty if its topics contain more of a device than its id.
     */
    static Optional<Role> role(String fleet, Topics topics) {
        return topics.ofEvery("%c", fleet).map(all -> role(FLEET + fleet, "subscribePattern", all));
    }

    /**
     * Makes a role. A session that is older than the topics may have subscribed to others. So the role also says what
     * the device may receive, whatever the broker's default is.
     */
    private static Role role(String name, String subscribe, Topics.OfDevice topics) {
        Set<Acl> acls = new HashSet<>();
        topics.publish().forEach(topic -> acls.add(new Acl("publishClientSend", topic, 0, true)));
        topics.subscribe().forEach(topic -> {
            acls.add(new Acl(subscribe, topic, 0, true));
            acls.add(new Acl("publishClientReceive", topic, 1, true));
        });
        acls.add(new Acl("publishClientReceive", "#", 0, false));
        return new Role(name, Set.copyOf(acls));
    }

    static Map<String, Object> getRole(String name) {
        return Map.of("command", "getRole", "rolename", name);
    }

    static Map<String, Object> deleteRole(String name) {
        return Map.of("command", "deleteRole", "rolename", name);
    }

    static Map<String, Object> getClient(String user) {
        return Map.of("command", "getClient", "username", user);
    }

    static Map<String, Object> deleteClient(String user) {
        return Map.of("command", "deleteClient", "username", user);
    }

    /** Closes a client's connections; it may connect again. */
    static List<Map<String, Object>> reconnect(String user) {
        return List.of(
                Map.of("command", "disableClient", "username", user),
                Map.of("command", "enableClient", "username", user));
    }

    static Map<String, Object> removeClientRole(String user, String role) {
        return Map.of("command", "removeClientRole", "username", user, "rolename", role);
    }

    /** Asks for a page of {@code Clients} or {@code Roles}. */
    static Map<String, Object> list(String what, int from, int atMost) {
        return Map.of("command", "list" + what, "verbose", true, "offset", from, "count", atMost);
    }

    static Map<String, Object> getDefaults() {
        return Map.of("command", "getDefaultACLAccess");
    }

    /** Tells whether the default permits a client something that none of its roles mentions. */
    static boolean isOpen(JsonNode defaults) {
        Set<String> closed = new TreeSet<>();
        for (JsonNode acl : defaults.path("data").path("acls")) {
            String type = acl.path("acltype").asText();
            if (acl.path("allow").isBoolean() && !acl.path("allow").asBoolean()) {
                closed.add(type);
            }
        }
        return !closed.containsAll(Set.of("publishClientSend", "subscribe"));
    }
}
