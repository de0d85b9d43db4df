// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.muster.bench.floor.BareRegistration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** All measured operations, and the devices that they created. Thread-safe. */
final class Operations {

    static final String REGISTER = "register";
    static final String REGISTER_BESIDE_HANGING = "register-beside-hanging";
    static final String TOKEN = "token";
    static final String INTROSPECT = "introspect";
    static final String BROKER_LOGIN = "broker-login";
    static final String FLOOR_REGISTER = "floor-register";
    static final String FLOOR_TOKEN = "floor-token";
    static final String FLOOR_ECHO = "floor-echo";
    static final String JDBC_REGISTER = "jdbc-register";

    /** The prefix for operations of the other registry. */
    static final String AGAINST = Stage.AGAINST + "-";

    /** The floor of an operation comes first, then other things to compare it with, if they are measured. */
    static final Map<String, List<String>> COMPARED = Map.of(
            REGISTER, List.of(FLOOR_REGISTER, JDBC_REGISTER, FLOOR_ECHO, AGAINST + REGISTER),
            REGISTER_BESIDE_HANGING, List.of(REGISTER),
            TOKEN, List.of(FLOOR_TOKEN, FLOOR_ECHO, AGAINST + TOKEN),
            INTROSPECT, List.of(FLOOR_ECHO, AGAINST + INTROSPECT),
            BROKER_LOGIN, List.of(FLOOR_ECHO, AGAINST + BROKER_LOGIN),
            FLOOR_REGISTER, List.of(JDBC_REGISTER));

    /** How many devices of the fleet whose verifier hangs retry all the time. */
    static final int TURNED_AWAY = 40;

    /** How many devices get tokens. */
    static final int DEVICES = 4000;

    private static final JsonMapper JSON = new JsonMapper();
    private static final String FORM = "application/x-www-form-urlencoded";

    /**
     * A device that registered.
     *
     * @param authorization its header at the token endpoint
     * @param login RabbitMQ's question when it connects
     */
    private record Device(String key, String authorization, String login) {

        static Device of(String id, String key, String secret) {
            return new Device(
                    key,
                    "Basic "
                            + Base64.getEncoder()
                                    .encodeToString((key + ":" + secret).getBytes(StandardCharsets.US_ASCII)),
                    "username=" + key + "&password=" + secret + "&vhost=%2F&client_id=" + id);
        }
    }

    /** An access token and the device that got it. */
    private record Token(String key, String token) {}

    /** The results of one way to register. */
    private static final class Ledger {

        private final Set<String> ids = ConcurrentHashMap.newKeySet();
        private final List<Device> devices = Collections.synchronizedList(new ArrayList<>());
        private final AtomicLong acknowledged = new AtomicLong();

        void registered(String id, String key, String secret) {
            if (!ids.add(id)) {
                throw new WrongAnswerException("a device id was given twice");
            }
            acknowledged.incrementAndGet();
            if (devices.size() < DEVICES) {
                devices.add(Device.of(id, key, secret));
            }
        }
    }

    /** The known state of a registry: devices with a confirmed credential, and their tokens. */
    private static final class Known {

        private volatile List<Device> devices = List.of();
        private final List<Token> tokens = Collections.synchronizedList(new ArrayList<>());
    }

    private final Stage stage;
    private final Map<String, Ledger> ledgers = new LinkedHashMap<>();
    private final Map<String, Known> known = new LinkedHashMap<>();
    private final AtomicInteger turn = new AtomicInteger();

    Operations(Stage stage) {
        this.stage = stage;
        stage.databases().forEach(database -> ledgers.put(database, new Ledger()));
        stage.registries().forEach(registry -> known.put(registry, new Known()));
    }

    /** Returns all operations in the order in which they take turns. */
    List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        for (String registry : stage.registries()) {
            all.add(new Operation(prefix(registry) + REGISTER, registry, () -> register(registry)));
        }
        all.add(new Operation(
                REGISTER_BESIDE_HANGING,
                Stage.MUSTER,
                () -> register(Stage.MUSTER),
                Optional.of(new Operation.Beside(
                        new Operation("turned-away", null, () -> turnedAway(true)),
                        new Operation("turned-away", null, () -> turnedAway(false)),
                        TURNED_AWAY))));
        all.add(new Operation(FLOOR_REGISTER, Stage.FLOOR, () -> register(Stage.FLOOR)));
        all.add(new Operation(JDBC_REGISTER, Stage.JDBC, this::bareRegister));
        for (String registry : stage.registries()) {
            all.add(new Operation(
                    prefix(registry) + TOKEN, null, () -> token(registry, known.get(registry).devices, null)));
        }
        all.add(new Operation(
                FLOOR_TOKEN, null, () -> token(Stage.FLOOR, List.copyOf(ledgers.get(Stage.FLOOR).devices), null)));
        for (String registry : stage.registries()) {
            all.add(new Operation(prefix(registry) + INTROSPECT, null, () -> introspect(registry)));
        }
        for (String registry : stage.registries()) {
            all.add(new Operation(prefix(registry) + BROKER_LOGIN, null, () -> brokerLogin(registry)));
        }
        all.add(new Operation(FLOOR_ECHO, null, this::echo));
        return List.copyOf(all);
    }

    /** Returns the operation of a name. */
    Operation named(String name) {
        return all().stream()
                .filter(operation -> operation.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String prefix(String registry) {
        return registry.equals(Stage.MUSTER) ? "" : AGAINST;
    }

    /** Returns how many registrations were acknowledged with a device id of their own. */
    long acknowledged(String database) {
        return ledgers.get(database).acknowledged.get();
    }

    /** Returns how many devices of a database can get tokens, {@link #DEVICES} at most. */
    int devices(String database) {
        return ledgers.get(database).devices.size();
    }

    /**
     * Gets a token for each device, which confirms its credential, and then another. The registries have then seen all
     * devices in their final state.
     *
     * @return how many there are
     */
    int confirm() throws IOException {
        int count = 0;
        for (String registry : stage.registries()) {
            Known all = known.get(registry);
            all.devices = List.copyOf(ledgers.get(registry).devices);
            for (int pass = 0; pass < 2; pass++) {
                all.tokens.clear();
                turn.set(0);
                try (Operation.Task task = token(registry, all.devices, all.tokens)) {
                    for (int i = 0; i < all.devices.size(); i++) {
                        task.run();
                    }
                } catch (SQLException e) {
                    throw new IllegalStateException("there is no SQL in it", e);
                }
            }
            count += all.tokens.size();
        }
        return count;
    }

    /** A task on a connection of HTTP. */
    private abstract static class HttpTask implements Operation.Task {

        final HttpConnection connection;

        HttpTask(int port) throws IOException {
            connection = new HttpConnection(port);
        }

        @Override
        public abstract void run() throws IOException;

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }

    private Operation.Task register(String database) throws IOException {
        Stock stock = stage.stock(database);
        Ledger ledger = ledgers.get(database);
        return new HttpTask(stage.port(database)) {
            @Override
            public void run() throws IOException {
                JsonNode answer = json(connection.post(
                        "/register", "application/json", null, "{\"serial\":\"" + stock.take() + "\"}"));
                String id = text(answer, "deviceId");
                if (id.length() != 32) {
                    throw new WrongAnswerException("not a device id");
                }
                ledger.registered(id, text(answer, "key"), text(answer, "secret"));
            }
        };
    }

    /**
     * Registers in the fleet whose verifier hangs.
     *
     * @param pausing whether to retry after a second or so, as a device does, or at once
     */
    private Operation.Task turnedAway(boolean pausing) {
        return new Operation.Task() {
            @Override
            public void run() throws IOException {
                HttpConnection.Reply reply;
                // Payara closes the connection after a 503.
                try (HttpConnection connection = new HttpConnection(stage.port(Stage.MUSTER))) {
                    reply = connection.postLast(
                            "/fleets/" + Stage.HANGING + "/register",
                            "application/json",
                            null,
                            "{\"serial\":\"HANGING-" + turn.getAndIncrement() + "\"}");
                }
                if (reply.status() != 503
                        || !text(JSON.readTree(reply.body()), "type").endsWith("verification-unavailable")
                        || !reply.retryAfter().matches("[1-9][0-9]*")) {
                    throw new WrongAnswerException("not the answer while a verifier hangs: " + reply);
                }
                try {
                    Thread.sleep(pausing ? ThreadLocalRandom.current().nextInt(700, 1300) : 0);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void close() {
                // nothing is stored
            }
        };
    }

    private Operation.Task bareRegister() throws SQLException {
        Stock stock = stage.stock(Stage.JDBC);
        Ledger ledger = ledgers.get(Stage.JDBC);
        Connection connection = stage.connect(Stage.JDBC);
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        return new Operation.Task() {
            @Override
            public void run() throws SQLException {
                BareRegistration.Registered registered = BareRegistration.register(connection, stock.take());
                ledger.registered(registered.deviceId(), registered.key(), registered.secret());
            }

            @Override
            public void close() throws SQLException {
                connection.close();
            }
        };
    }

    private Operation.Task token(String server, List<Device> devices, List<Token> kept) throws IOException {
        return new HttpTask(stage.port(server)) {

            private String last = "";

            @Override
            public void run() throws IOException {
                Device device = devices.get(Math.floorMod(turn.getAndIncrement(), devices.size()));
                JsonNode answer =
                        json(connection.post("/token", FORM, device.authorization(), "grant_type=client_credentials"));
                String token = text(answer, "access_token");
                if (!text(answer, "token_type").equals("Bearer")
                        || answer.path("expires_in").asInt() <= 0
                        || token.equals(last)
                        || !isOf(token, device)) {
                    throw new WrongAnswerException("not a token of this device");
                }
                last = token;
                if (kept != null) {
                    kept.add(new Token(device.key(), token));
                }
            }
        };
    }

    /** Reads a token without checking its signature, which would cost more than making it. */
    private static boolean isOf(String token, Device device) {
        String[] parts = token.split("\\.");
        return parts.length == 3
                && parts[2].length() == 86
                && new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8)
                        .contains("\"client_id\":\"" + device.key() + "\"");
    }

    private Operation.Task introspect(String registry) throws IOException {
        List<Token> asked = List.copyOf(known.get(registry).tokens);
        String authorization = "Bearer " + stage.operatorToken(registry);
        return new HttpTask(stage.port(registry)) {
            @Override
            public void run() throws IOException {
                Token token = asked.get(Math.floorMod(turn.getAndIncrement(), asked.size()));
                JsonNode answer = json(connection.post("/introspect", FORM, authorization, "token=" + token.token()));
                if (!answer.path("active").asBoolean()
                        || !text(answer, "client_id").equals(token.key())) {
                    throw new WrongAnswerException("not what is known of this token");
                }
            }
        };
    }

    /** Asks, as RabbitMQ does, whether a device may log in. */
    private Operation.Task brokerLogin(String registry) throws IOException {
        List<Device> devices = known.get(registry).devices;
        return new HttpTask(stage.port(registry)) {
            @Override
            public void run() throws IOException {
                Device device = devices.get(Math.floorMod(turn.getAndIncrement(), devices.size()));
                HttpConnection.Reply reply =
                        connection.post("/mqtt/" + Stage.LISTENER + "/rabbitmq/user", FORM, null, device.login());
                if (reply.status() != 200 || !reply.body().equals("allow")) {
                    throw new WrongAnswerException("a device is not let in: " + reply);
                }
            }
        };
    }

    /** Posts the same as {@link #introspect}. */
    private Operation.Task echo() throws IOException {
        String body = "token=" + known.get(Stage.MUSTER).tokens.get(0).token();
        return new HttpTask(stage.port(Stage.FLOOR)) {
            @Override
            public void run() throws IOException {
                JsonNode answer = json(connection.post("/echo", FORM, null, body));
                if (!answer.path("active").asBoolean() || answer.path("length").asInt() != body.length()) {
                    throw new WrongAnswerException("not an echo");
                }
            }
        };
    }

    private static JsonNode json(HttpConnection.Reply reply) throws IOException {
        if (reply.status() != 200) {
            throw new WrongAnswerException("status " + reply.status() + ": " + reply.body());
        }
        return JSON.readTree(reply.body());
    }

    private static String text(JsonNode answer, String member) {
        JsonNode value = answer.get(member);
        if (value == null || !value.isTextual() || value.textValue().isEmpty()) {
            throw new WrongAnswerException("an answer without " + member);
        }
        return value.textValue();
    }
}
