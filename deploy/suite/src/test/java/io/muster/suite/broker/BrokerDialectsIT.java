// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.BrokerQuestions;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The questions of brokers that cannot run here, as their documentation describes them, and RabbitMQ's answers to the
 * byte.
 */
@Tag("portable")
class BrokerDialectsIT {

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static final String RABBITMQ = "mqtt/" + SharedWorld.listenerSecret("rabbitmq") + "/rabbitmq/";
    private static final String EMQX = "mqtt/" + SharedWorld.listenerSecret("emqx") + "/emqx/";
    private static final String GO_AUTH = "mqtt/" + SharedWorld.listenerSecret("go-auth") + "/go-auth/";
    private static final String VERNEMQ = "mqtt/" + SharedWorld.listenerSecret("vernemq") + "/vernemq";
    private static final String PLAIN = "mqtt/" + SharedWorld.listenerSecret("json") + "/json/";

    private static Registered device;
    private static Registered other;

    @BeforeAll
    static void devices() {
        device = REGISTRY.newDevice();
        other = REGISTRY.newDevice();
    }

    private static String form(String path, Map<String, String> parameters) {
        Reply reply = REGISTRY.post(
                path,
                RegistryUnderTest.FORM,
                parameters.entrySet().stream()
                        .map(one -> one.getKey() + "=" + RegistryUnderTest.encoded(one.getValue()))
                        .collect(Collectors.joining("&")));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.header("Content-Type").orElseThrow()).startsWith("text/plain");
        return reply.text();
    }

    private static Reply json(String path, String body, String... headers) {
        return REGISTRY.post(path, RegistryUnderTest.JSON, body.replace('\'', '"'), headers);
    }

    private static String state(Registered device) {
        return device.stateTopic();
    }

    private static String command(Registered device) {
        return device.commandTopic();
    }

    // RabbitMQ

    private static String user(String user, String password, String clientId) {
        return form(
                RABBITMQ + "user", Map.of("username", user, "password", password, "vhost", "/", "client_id", clientId));
    }

    @Test
    void rabbitMqIsToldAllowAndDenyAndNothingElse() {
        assertThat(user(device.key(), device.secret(), device.deviceId())).isEqualTo("allow");
        assertThat(user(device.key(), REGISTRY.accessToken(device), device.deviceId()))
                .isEqualTo("allow");
        assertThat(user(device.key(), other.secret(), device.deviceId())).isEqualTo("deny");
        assertThat(user(device.key(), device.secret(), other.deviceId())).isEqualTo("deny");
        assertThat(user(other.key(), REGISTRY.accessToken(device), other.deviceId()))
                .isEqualTo("deny");
        assertThat(form(RABBITMQ + "user", Map.of("username", device.key(), "password", device.secret(), "vhost", "/")))
                .as("AMQP, which has no client id")
                .isEqualTo("deny");
    }

    private static String resource(Registered device, String resource, String name, String permission) {
        return form(
                RABBITMQ + "resource",
                Map.of(
                        "username",
                        device.key(),
                        "vhost",
                        "/",
                        "resource",
                        resource,
                        "name",
                        name,
                        "permission",
                        permission,
                        "tags",
                        "",
                        "client_id",
                        device.deviceId()));
    }

    @Test
    void rabbitMqDeviceHasItsOwnQueuesAndTheExchangeOfMqtt() {
        String queue = "mqtt-subscription-" + device.deviceId();
        assertThat(form(
                        RABBITMQ + "vhost",
                        Map.of(
                                "username",
                                device.key(),
                                "vhost",
                                "/",
                                "ip",
                                "127.0.0.1",
                                "client_id",
                                device.deviceId())))
                .isEqualTo("allow");
        assertThat(form(
                        RABBITMQ + "vhost",
                        Map.of("username", device.key(), "vhost", "other", "client_id", device.deviceId())))
                .isEqualTo("deny");
        for (String permission : List.of("configure", "read", "write")) {
            assertThat(resource(device, "queue", queue + "qos0", permission)).isEqualTo("allow");
            assertThat(resource(device, "queue", queue + "qos1", permission)).isEqualTo("allow");
            assertThat(resource(device, "queue", queue, permission)).isEqualTo("deny");
            assertThat(resource(device, "queue", "mqtt-subscription-" + other.deviceId() + "qos1", permission))
                    .isEqualTo("deny");
            assertThat(resource(device, "queue", "mqtt-will-" + device.deviceId(), permission))
                    .isEqualTo("allow");
            assertThat(resource(device, "queue", "mqtt-will-" + other.deviceId(), permission))
                    .isEqualTo("deny");
            for (String near : List.of("mqtt-will-", "mqtt-will-" + device.deviceId() + "qos1", "mqtt-will", "#")) {
                assertThat(resource(device, "queue", near, permission)).as(near).isEqualTo("deny");
            }
            assertThat(resource(device, "queue", "any", permission)).isEqualTo("deny");
            assertThat(resource(device, "exchange", "amq.direct", permission)).isEqualTo("deny");
        }
        assertThat(resource(device, "exchange", "amq.topic", "read")).isEqualTo("allow");
        assertThat(resource(device, "exchange", "amq.topic", "write")).isEqualTo("allow");
        assertThat(resource(device, "exchange", "amq.topic", "configure")).isEqualTo("deny");
    }

    /** MQTT 5 with a Will Delay Interval, in RabbitMQ 4's order of questions when such a device disconnects. */
    @Test
    void rabbitMqMayKeepAWillOfADeviceUntilItIsDue() {
        String queue = "mqtt-will-" + device.deviceId();
        assertThat(resource(device, "queue", queue, "configure")).isEqualTo("allow");
        assertThat(resource(device, "queue", queue, "read")).isEqualTo("allow");
        assertThat(resource(device, "exchange", "amq.topic", "write")).isEqualTo("allow");
        assertThat(resource(device, "exchange", "amq.default", "write")).isEqualTo("allow");
        assertThat(topic("write", state(device).replace('/', '.'))).isEqualTo("allow");

        for (String permission : List.of("configure", "read")) {
            assertThat(resource(device, "exchange", "amq.default", permission)).isEqualTo("deny");
        }
        assertThat(form(
                        RABBITMQ + "resource",
                        Map.of(
                                "username",
                                device.key(),
                                "vhost",
                                "/",
                                "resource",
                                "exchange",
                                "name",
                                "amq.default",
                                "permission",
                                "write",
                                "tags",
                                "")))
                .as("what is no MQTT, which can reach every queue that way")
                .isEqualTo("deny");
    }

    private static String topic(String permission, String routingKey) {
        return form(
                RABBITMQ + "topic",
                Map.of(
                        "username",
                        device.key(),
                        "vhost",
                        "/",
                        "resource",
                        "topic",
                        "name",
                        "amq.topic",
                        "permission",
                        permission,
                        "tags",
                        "",
                        "routing_key",
                        routingKey,
                        "variable_map.client_id",
                        device.deviceId(),
                        "variable_map.username",
                        device.key(),
                        "variable_map.vhost",
                        "/"));
    }

    @Test
    void rabbitMqTopicsComeAsRoutingKeys() {
        assertThat(topic("write", state(device).replace('/', '.'))).isEqualTo("allow");
        assertThat(topic("read", command(device).replace('/', '.'))).isEqualTo("allow");
        assertThat(topic("read", state(device).replace('/', '.'))).isEqualTo("deny");
        assertThat(topic("write", command(device).replace('/', '.'))).isEqualTo("deny");
        assertThat(topic("write", state(other).replace('/', '.'))).isEqualTo("deny");
        assertThat(topic("write", state(device))).isEqualTo("deny");
        for (String wild : List.of("#", "*", "muster.#", "muster.*.command", "muster." + device.deviceId() + ".#")) {
            assertThat(topic("read", wild)).as(wild).isEqualTo("deny");
        }
    }

    @Test
    void disabledDeviceIsDeniedWhateverItAsks() {
        Registered one = REGISTRY.newDevice();
        assertThat(user(one.key(), one.secret(), one.deviceId())).isEqualTo("allow");
        assertThat(resource(one, "exchange", "amq.topic", "read")).isEqualTo("allow");

        REGISTRY.change(one.deviceId(), "disable");

        assertThat(user(one.key(), one.secret(), one.deviceId())).isEqualTo("deny");
        assertThat(resource(one, "exchange", "amq.topic", "read")).isEqualTo("deny");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "username", "%", "username=a&username=b", "username=%ff", "{}"})
    void whatNobodyUnderstandsIsDenied(String body) {
        for (String what : List.of("user", "vhost", "resource", "topic")) {
            Reply reply = REGISTRY.post(RABBITMQ + what, RegistryUnderTest.FORM, body);
            assertThat(reply.text()).as(what + " " + reply).isEqualTo("deny");
        }
    }

    // EMQX

    private static JsonNode emqx(String path, String body) {
        Reply reply = json(EMQX + path, body);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.header("Content-Type").orElseThrow()).startsWith("application/json");
        return reply.json();
    }

    private static String login(String clientIdName, String clientId, Registered one, String password) {
        return "{'" + clientIdName + "':'" + clientId + "','username':'" + one.key() + "','password':'" + password
                + "'}";
    }

    @Test
    void emqxIsToldTheTopicsWithTheLogin() {
        JsonNode answer = emqx("authn", login("clientid", device.deviceId(), device, device.secret()));

        assertThat(answer.path("result").asText()).isEqualTo("allow");
        assertThat(answer.path("is_superuser").booleanValue()).isFalse();
        assertThat(answer.has("expire_at")).isFalse();
        assertThat(answer.path("acl").toString())
                .contains("\"publish\"", state(device), "eq " + command(device))
                .endsWith("}]");
        JsonNode last = answer.path("acl").get(answer.path("acl").size() - 1);
        assertThat(last.path("permission").asText()
                        + last.path("action").asText()
                        + last.path("topic").asText())
                .isEqualTo("denyall#");
        JsonNode byToken = emqx("authn", login("clientid", device.deviceId(), device, REGISTRY.accessToken(device)));
        assertThat(byToken.path("expire_at").isIntegralNumber()).isTrue();
        assertThat(emqx("authn", login("clientid", other.deviceId(), device, device.secret()))
                        .toString())
                .isEqualTo("{\"result\":\"deny\"}");
    }

    @Test
    void emqxIsAnsweredNoAndNeverAnythingElseThan200() {
        assertThat(emqx("authz", action("clientid", device, "publish", state(device)))
                        .path("result")
                        .asText())
                .isEqualTo("allow");
        assertThat(emqx("authz", action("clientid", device, "subscribe", command(device)))
                        .path("result")
                        .asText())
                .isEqualTo("allow");
        assertThat(emqx("authz", action("clientid", device, "unsubscribe", command(device)))
                        .path("result")
                        .asText())
                .isEqualTo("allow");
        for (String topic : List.of("#", "+/+/command", command(other), state(device), "$SYS/#")) {
            for (String action : List.of("subscribe", "unsubscribe")) {
                assertThat(emqx("authz", action("clientid", device, action, topic))
                                .path("result")
                                .asText())
                        .isEqualTo("deny");
            }
        }
        assertThat(emqx("authz", action("clientid", device, "publish", state(other)))
                        .path("result")
                        .asText())
                .isEqualTo("deny");
        for (String body : List.of("", "[]", "null", "{}", "{'clientid':1}", "{", "{'a':1,'a':2}")) {
            assertThat(emqx("authn", body).path("result").asText()).as(body).isEqualTo("deny");
            assertThat(emqx("authz", body).path("result").asText()).as(body).isEqualTo("deny");
        }
    }

    private static String action(String clientId, Registered one, String action, String topic) {
        return "{'" + clientId + "':'" + one.deviceId() + "','username':'" + one.key() + "','action':'" + action
                + "','topic':'" + topic + "'}";
    }

    // mosquitto-go-auth

    private static int goAuth(String path, String body) {
        Reply reply = json(GO_AUTH + path, body);
        assertThat(reply.json().path("Ok").booleanValue()).isEqualTo(reply.status() == 200);
        return reply.status();
    }

    private static String access(Registered one, String topic, String access) {
        return "{'username':'" + one.key() + "','clientid':'" + one.deviceId() + "','topic':'" + topic + "','acc':"
                + access + "}";
    }

    @Test
    void goAuthIsToldByTheStatus() {
        assertThat(goAuth("user", login("clientid", device.deviceId(), device, device.secret())))
                .isEqualTo(200);
        assertThat(goAuth("user", login("clientid", other.deviceId(), device, device.secret())))
                .isEqualTo(403);
        assertThat(goAuth("superuser", "{'username':'" + device.key() + "'}")).isEqualTo(403);
        assertThat(goAuth("acl", access(device, state(device), "2"))).isEqualTo(200);
        assertThat(goAuth("acl", access(device, command(device), "4"))).isEqualTo(200);
        assertThat(goAuth("acl", access(device, command(device), "1"))).isEqualTo(200);
        assertThat(goAuth("acl", access(device, command(device), "3"))).isEqualTo(403);
        assertThat(goAuth("acl", access(device, command(other), "1"))).isEqualTo(403);
        assertThat(goAuth("acl", access(device, "#", "4"))).isEqualTo(403);
        assertThat(goAuth("acl", access(device, command(device), "8")))
                .as("the end of a subscription")
                .isEqualTo(200);
        assertThat(goAuth("acl", access(device, command(other), "8"))).isEqualTo(403);
        assertThat(goAuth("acl", access(device, state(device), "8"))).isEqualTo(403);
        assertThat(goAuth("acl", access(device, state(device), "9"))).isEqualTo(403);
        Reply form = REGISTRY.post(
                GO_AUTH + "acl",
                RegistryUnderTest.FORM,
                "username=" + device.key() + "&clientid=" + device.deviceId() + "&acc=2&topic="
                        + RegistryUnderTest.encoded(state(device)));
        assertThat(form.status()).isEqualTo(200);
    }

    // VerneMQ

    private static String vernemq(String hook, String body) {
        Reply reply = json(VERNEMQ, body, "vernemq-hook", hook);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.header("Cache-Control").orElse("")).doesNotContain("max-age");
        JsonNode result = reply.json().path("result");
        return result.isTextual() ? result.asText() : result.path("error").asText();
    }

    @Test
    void vernemqIsAnsweredByHook() {
        for (String version : List.of("", "_m5")) {
            assertThat(vernemq(
                            "auth_on_register" + version,
                            login("client_id", device.deviceId(), device, device.secret())))
                    .isEqualTo("ok");
            assertThat(vernemq(
                            "auth_on_register" + version,
                            login("client_id", other.deviceId(), device, device.secret())))
                    .isEqualTo("not_allowed");
            assertThat(vernemq("auth_on_publish" + version, action("client_id", device, "", state(device))))
                    .isEqualTo("ok");
            assertThat(vernemq("auth_on_publish" + version, action("client_id", device, "", state(other))))
                    .isEqualTo("not_allowed");
            assertThat(vernemq("auth_on_subscribe" + version, topics(command(device))))
                    .isEqualTo("ok");
            assertThat(vernemq("auth_on_subscribe" + version, topics(command(device), "#")))
                    .isEqualTo("not_allowed");
            assertThat(vernemq("auth_on_subscribe" + version, topics())).isEqualTo("not_allowed");
            assertThat(vernemq("on_unsubscribe" + version, ended(command(device))))
                    .isEqualTo("ok");
            assertThat(vernemq("on_unsubscribe" + version, ended(command(device), command(other))))
                    .isEqualTo("not_allowed");
        }
        assertThat(vernemq("on_something_else", login("client_id", device.deviceId(), device, device.secret())))
                .isEqualTo("not_allowed");
    }

    private static String ended(String... filters) {
        return "{'client_id':'" + device.deviceId() + "','username':'" + device.key() + "','topics':['"
                + String.join("','", filters) + "']}";
    }

    private static String topics(String... filters) {
        return "{'client_id':'" + device.deviceId() + "','username':'" + device.key() + "','topics':["
                + List.of(filters).stream()
                        .map(filter -> "{'topic':'" + filter + "','qos':1}")
                        .collect(Collectors.joining(","))
                + "]}";
    }

    // JSON

    @Test
    void othersAreToldInPlainJson() {
        JsonNode login = json(PLAIN + "login", login("clientId", device.deviceId(), device, device.secret()))
                .json();
        assertThat(login.path("allow").booleanValue()).isTrue();
        assertThat(login.path("publish").get(0).asText()).isEqualTo(state(device));
        assertThat(login.path("subscribe").get(0).asText()).isEqualTo(command(device));
        assertThat(json(PLAIN + "login", login("clientId", other.deviceId(), device, device.secret()))
                        .text())
                .isEqualTo("{\"allow\":false}");
        assertThat(json(PLAIN + "topic", action("clientId", device, "publish", state(device)))
                        .text())
                .isEqualTo("{\"allow\":true}");
        assertThat(json(PLAIN + "topic", action("clientId", device, "unsubscribe", command(device)))
                        .text())
                .isEqualTo("{\"allow\":true}");
        assertThat(json(PLAIN + "topic", action("clientId", device, "unsubscribe", command(other)))
                        .text())
                .isEqualTo("{\"allow\":false}");
        assertThat(json(PLAIN + "topic", action("clientId", device, "publish", state(other)))
                        .text())
                .isEqualTo("{\"allow\":false}");
    }

    // operators

    /** There was a time when an operator could have any name. */
    private static String operatorNamed(String name) throws SQLException, GeneralSecurityException {
        String token = "mo_" + name + name;
        MariaDbServer server = SharedWorld.mariaDb();
        try (Connection connection =
                        DriverManager.getConnection(server.jdbcUrl("shared"), server.user(), server.password());
                PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO operator (id, name, token_hash, rights, state, created_at)"
                                + " SELECT ?, ?, ?, rights, 'A', created_at FROM operator WHERE name = 'first'")) {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
            insert.setBytes(1, Arrays.copyOf(hash, 16));
            insert.setString(2, name);
            insert.setBytes(3, hash);
            assertThat(insert.executeUpdate()).isEqualTo(1);
        }
        assertThat(REGISTRY.get("api/v1/operators", RegistryUnderTest.bearer(token))
                        .status())
                .isEqualTo(200);
        return token;
    }

    @Test
    void operatorThatIsNamedLikeADeviceIsNobodyToABroker() throws Exception {
        Registered one = REGISTRY.newDevice();
        Registered two = REGISTRY.newDevice();
        for (String name : List.of(one.deviceId(), two.key(), one.deviceId().substring(0, 16))) {
            String token = operatorNamed(name);
            Map<String, String> asked = Map.of(
                    "username",
                    name,
                    "password",
                    token,
                    "vhost",
                    "/",
                    "resource",
                    "topic",
                    "name",
                    "amq.topic",
                    "permission",
                    "write",
                    "routing_key",
                    "muster." + two.deviceId() + ".command");
            for (String what : List.of("user", "vhost", "resource", "topic")) {
                assertThat(form(RABBITMQ + what, asked)).as(what).isEqualTo("deny");
            }
            for (String client : List.of("ops-7", one.deviceId(), two.deviceId())) {
                String topic = "'username':'" + name + "','action':'publish','acc':2,'topic':'" + command(two) + "'";
                String login = "'username':'" + name + "','password':'" + token + "'";
                assertThat(emqx("authn", "{'clientid':'" + client + "'," + login + "}")
                                .path("result")
                                .asText())
                        .isEqualTo("deny");
                assertThat(emqx("authz", "{'clientid':'" + client + "'," + topic + "}")
                                .path("result")
                                .asText())
                        .isEqualTo("deny");
                assertThat(goAuth("user", "{'clientid':'" + client + "'," + login + "}"))
                        .isEqualTo(403);
                assertThat(goAuth("acl", "{'clientid':'" + client + "'," + topic + "}"))
                        .isEqualTo(403);
                assertThat(goAuth("superuser", "{" + login + "}")).isEqualTo(403);
                assertThat(vernemq("auth_on_register", "{'client_id':'" + client + "'," + login + "}"))
                        .isEqualTo("not_allowed");
                assertThat(vernemq("auth_on_publish", "{'client_id':'" + client + "'," + topic + "}"))
                        .isEqualTo("not_allowed");
                assertThat(json(PLAIN + "login", "{'clientId':'" + client + "'," + login + "}")
                                .text())
                        .isEqualTo("{\"allow\":false}");
                assertThat(json(PLAIN + "topic", "{'clientId':'" + client + "'," + topic + "}")
                                .text())
                        .isEqualTo("{\"allow\":false}");
            }
        }
        assertThat(BrokerQuestions.notAllowed(REGISTRY, one)).isEmpty();
        assertThat(BrokerQuestions.notAllowed(REGISTRY, two))
                .as("whose key is an operator's name")
                .isEmpty();
    }

    @Test
    void secretIsThatOfABrokerOfThisKind() {
        assertProblem(json("mqtt/wrong/emqx/authn", "{}"), 404, "not-found");
        assertProblem(json("mqtt/" + SharedWorld.listenerSecret("json") + "/emqx/authn", "{}"), 404, "not-found");
        assertThat(json("mqtt/wrong/emqx/authn", "{}").text()).doesNotContain("wrong");
    }

    @Test
    void metricsNeedARight() {
        assertProblem(REGISTRY.get("metrics"), 401, "unauthorized");
        Reply metrics = REGISTRY.get("metrics", REGISTRY.asOperator());
        assertThat(metrics.status()).isEqualTo(200);
    }
}
