// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.client.DeviceClient;
import io.muster.client.RefusedException;
import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.ledger.Ledger.Account;
import io.muster.suite.ledger.Load.Kept;
import io.muster.suite.ledger.World.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Compares what the registries have at the end with what they answered. */
final class Settlement {

    private static final Duration OUTBOX_LIMIT = Duration.ofMinutes(2);
    private static final int TRIES = 20;

    private final World world;
    private final Ledger ledger;

    Settlement(World world, Ledger ledger) {
        this.world = world;
        this.ledger = ledger;
    }

    /** Checks everything, and writes each fault into the ledger. */
    void check(Map<String, Kept> clients) throws InterruptedException {
        for (Node node : world.nodes()) {
            devices(node, clients);
        }
        ledger.accounts().values().forEach(this::credentials);
        for (Kept one : clients.values()) {
            client(one);
        }
        events();
        outbox();
        sameRows();
    }

    private interface Request {
        Reply send();
    }

    /** Nothing is broken any more, so an answer must come. */
    private Reply answer(String what, Request request) {
        String seen = "";
        for (int tries = 0; tries < TRIES; tries++) {
            try {
                Reply reply = request.send();
                if (reply.status() < 500 && reply.status() != 429) {
                    return reply;
                }
                seen = reply.toString();
            } catch (UncheckedIOException e) {
                seen = e.toString();
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
        }
        ledger.wrong("a registry recovers without help", what + ": " + seen);
        throw new IllegalStateException(what + ": " + seen);
    }

    private void devices(Node node, Map<String, Kept> clients) {
        Map<String, List<String>> ids = new HashMap<>();
        String cursor = "";
        do {
            String from = cursor;
            JsonNode page = answer("devices", () -> node.direct().listDevices("?limit=1000" + from))
                    .json();
            for (JsonNode device : page.path("devices")) {
                ids.computeIfAbsent(device.path("serial").asText(), serial -> new ArrayList<>())
                        .add(device.path("deviceId").asText());
            }
            cursor = page.has("next") ? "&cursor=" + page.path("next").asText() : "";
        } while (!cursor.isEmpty());
        ids.forEach((serial, all) -> {
            if (all.size() > 1) {
                ledger.wrong("one serial is one device", serial + " at " + node.number() + ": " + all);
            }
        });
        Map<String, String> promised = new HashMap<>();
        ledger.accounts().forEach((serial, account) -> promised.put(serial, account.deviceId));
        clients.forEach((serial, one) -> promised.put(serial, one.deviceId()));
        promised.forEach((serial, id) -> {
            if (!id.isEmpty() && !List.of(id).equals(ids.get(serial))) {
                ledger.wrong(
                        "an acknowledged registration is one device",
                        serial + " is " + id + " and at " + node.number() + " " + ids.get(serial));
            }
        });
        ledger.note("devices at " + node.number(), Integer.toString(ids.size()));
    }

    private void credentials(Account account) {
        for (Node node : world.nodes()) {
            if (!account.working.isEmpty() && !accepts(account, account.working, node)) {
                ledger.wrong(
                        "an acknowledged credential works",
                        account.working + " of " + account.serial + " is refused by " + node.number() + " at the end");
            }
            for (String key : account.ended.keySet()) {
                if (accepts(account, key, node)) {
                    ledger.wrong(
                            "a revocation holds everywhere after two seconds",
                            key + " of " + account.serial + " is accepted by " + node.number() + " at the end");
                }
            }
        }
        if (account.oneAtMost) {
            for (Node node : world.nodes()) {
                List<String> good = account.secrets.keySet().stream()
                        .filter(key -> accepts(account, key, node))
                        .toList();
                if (good.size() > 1) {
                    ledger.wrong("one credential of a serial works", account.serial + ": " + good);
                }
            }
        }
    }

    private boolean accepts(Account account, String key, Node node) {
        return answer("token", () -> node.direct().token(key, account.secrets.get(key)))
                        .status()
                == 200;
    }

    private void client(Kept one) throws InterruptedException {
        try {
            DeviceClient client = DeviceClient.builder()
                    .registry(one.address())
                    .fleet("kept")
                    .serial(one.serial())
                    .store(one.store())
                    .initialSpread(Duration.ZERO)
                    .giveUpAfter(Duration.ofSeconds(60))
                    .build();
            client.accessToken();
            if (!client.identity().orElseThrow().deviceId().equals(one.deviceId())) {
                ledger.wrong("one serial is one device", one.serial());
            }
        } catch (IOException | RefusedException e) {
            ledger.wrong("a device-client is never locked out", one.serial() + " at the end: " + e);
        }
    }

    /** Every change by an operator is in the record. */
    private void events() {
        Map<String, Map<String, Integer>> recorded = new HashMap<>();
        RegistryUnderTest registry = world.node(0).direct();
        String cursor = "";
        do {
            String from = cursor;
            JsonNode page = answer(
                            "events", () -> registry.get("api/v1/events?limit=1000" + from, registry.asOperator()))
                    .json();
            for (JsonNode event : page.path("events")) {
                recorded.computeIfAbsent(event.path("deviceId").asText(), id -> new HashMap<>())
                        .merge(event.path("type").asText(), 1, Integer::sum);
            }
            cursor = page.has("next") ? "&cursor=" + page.path("next").asText() : "";
        } while (!cursor.isEmpty());
        for (Account account : ledger.accounts().values()) {
            for (String type : account.events) {
                int times = recorded.getOrDefault(account.deviceId, Map.of()).getOrDefault(type, 0);
                if (times != 1) {
                    ledger.wrong(
                            "the record is complete", type + " of " + account.serial + " is there " + times + " times");
                }
            }
        }
    }

    /** The broker was told of every device that was shut out. */
    private void outbox() {
        Set<String> missing = new HashSet<>();
        ledger.accounts().values().stream()
                .filter(account -> account.toldToBroker)
                .forEach(account -> missing.add(account.deviceId));
        long deadline = System.nanoTime() + OUTBOX_LIMIT.toNanos();
        missing.removeAll(world.outside().told());
        while (!missing.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
            missing.removeAll(world.outside().told());
        }
        if (!missing.isEmpty()) {
            ledger.wrong(
                    "the outbox ends complete",
                    missing.size() + " devices, of which one is "
                            + missing.iterator().next());
        }
    }

    /** All nodes of a cluster have the same rows. */
    private void sameRows() {
        if (world.cluster().isEmpty()) {
            return;
        }
        for (String table : List.of("device", "credential", "allowance", "audit", "disconnection", "sealed_reply")) {
            Set<String> sums = new HashSet<>();
            for (int tries = 0; tries < TRIES; tries++) {
                sums.clear();
                world.databases().forEach(database -> sums.add(checksum(database, table)));
                if (sums.size() == 1) {
                    break;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
            }
            if (sums.size() != 1) {
                ledger.wrong("all database nodes have the same rows", table + ": " + sums);
            }
        }
    }

    private static String checksum(MariaDbServer database, String table) {
        try (Connection connection = DriverManager.getConnection(
                        database.addressOf("muster"), database.user(), database.password());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("CHECKSUM TABLE " + table)) {
            row.next();
            return String.valueOf(row.getString(2));
        } catch (SQLException e) {
            return e.getMessage();
        }
    }
}
