// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.json.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Mosquitto's plug-in for dynamic security, with the answers of 2.0.11 to the commands used here. */
final class FakeDynsec implements ControlChannel {

    final Map<String, Map<String, Object>> clients = new TreeMap<>();
    final Map<String, Map<String, Object>> roles = new TreeMap<>();
    final List<Map<String, Object>> changes = new ArrayList<>();
    boolean open;
    boolean broken;
    boolean another;
    String unwanted = "";

    @Override
    public synchronized List<JsonNode> send(List<Map<String, Object>> commands) throws IOException {
        if (broken) {
            throw new IOException("no answer");
        }
        List<JsonNode> answers = new ArrayList<>();
        for (Map<String, Object> command : commands) {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("command", command.get("command"));
            carryOut(command, answer);
            answers.add(Json.parse(Json.bytes(answer)));
        }
        return answers;
    }

    @Override
    public boolean isAnother() {
        boolean was = another;
        another = false;
        return was;
    }

    private void carryOut(Map<String, Object> command, Map<String, Object> answer) {
        String verb = (String) command.get("command");
        String user = (String) command.get("username");
        String role = (String) command.get("rolename");
        if (!verb.startsWith("get") && !verb.startsWith("list")) {
            changes.add(command);
        }
        switch (verb) {
            case "getDefaultACLAccess" ->
                answer.put(
                        "data",
                        Map.of(
                                "acls",
                                List.of(
                                        Map.of("acltype", "publishClientSend", "allow", open),
                                        Map.of("acltype", "publishClientReceive", "allow", true),
                                        Map.of("acltype", "subscribe", "allow", false))));
            case "getClient" -> found(answer, "client", clients.get(user), "Client not found");
            case "getRole" -> found(answer, "role", roles.get(role), "Role not found");
            case "createClient" -> {
                if (user.equals(unwanted)) {
                    answer.put("error", "Internal error");
                } else if (clients.containsKey(user)) {
                    answer.put("error", "Client already exists");
                } else {
                    clients.put(user, new LinkedHashMap<>(command));
                }
            }
            case "createRole" -> {
                if (roles.containsKey(role)) {
                    answer.put("error", "Role already exists");
                } else {
                    roles.put(role, command);
                }
            }
            case "modifyRole" -> roles.put(role, command);
            case "deleteClient" -> {
                if (clients.remove(user) == null) {
                    answer.put("error", "Client not found");
                }
            }
            case "disableClient", "enableClient" -> {
                if (!clients.containsKey(user)) {
                    answer.put("error", "Client not found");
                }
            }
            case "deleteRole" -> {
                if (roles.remove(role) == null) {
                    answer.put("error", "Role not found");
                }
            }
            case "removeClientRole" -> {
                List<Object> has = new ArrayList<>((List<?>) clients.get(user).get("roles"));
                has.remove(Map.of("rolename", role));
                clients.get(user).put("roles", has);
            }
            case "listClients" -> answer.put("data", Map.of("clients", page(command, clients)));
            case "listRoles" -> answer.put("data", Map.of("roles", page(command, roles)));
            default -> answer.put("error", "Unknown command");
        }
    }

    private static void found(Map<String, Object> answer, String what, Map<String, Object> thing, String otherwise) {
        if (thing == null) {
            answer.put("error", otherwise);
        } else {
            answer.put("data", Map.of(what, thing));
        }
    }

    private static List<Map<String, Object>> page(
            Map<String, Object> command, Map<String, Map<String, Object>> things) {
        return things.values().stream()
                .skip((int) command.get("offset"))
                .limit((int) command.get("count"))
                .toList();
    }
}
