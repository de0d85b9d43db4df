// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.user;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.bearer;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.muster.api.DisplayCode;
import io.muster.client.DeviceClient;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.IdentityProviderProcess;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device notices that somebody owns it: by its topics, its connections, its tokens, and the code on its display. */
@Aside
class OwnedDeviceIT {

    private static final String FLEET = "{'verifiers':['database'],'brokerClaims':['emqx'],"
            + "'topics':{'publish':['{owner}/{deviceId}/state'],'subscribe':['all','{owner}/news']},"
            + "'claims':{'users':['customers'],'by':['code']}}";

    private static final List<String> CALLS = new CopyOnWriteArrayList<>();

    private static IdentityProviderProcess provider;
    private static HttpServer broker;
    private static MusterServer server;
    private static RegistryUnderTest registry;

    @BeforeAll
    static void start() throws IOException {
        provider = IdentityProviderProcess.start();
        broker = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        broker.createContext("/", exchange -> {
            CALLS.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        broker.start();
        Path directory = SharedWorld.directory("owned");
        URI management = URI.create("http://127.0.0.1:" + broker.getAddress().getPort());
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.users", "customers");
        properties.put(
                "muster.users.customers.issuer", provider.issuer("customers").toString());
        properties.put("muster.users.customers.audience", "muster");
        properties.put("muster.users.customers.allow-http", "true");
        properties.put("muster.users.customers.allow-private", "true");
        // Its first answer takes seconds on a busy machine.
        properties.put("muster.users.customers.timeout", "PT30S");
        properties.put("muster.mqtt.brokers", "json");
        properties.putAll(SharedWorld.broker(directory, "json", management, "muster", "a password of the broker"));
        server = MusterServer.start(SharedWorld.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
        assertThat(send("PUT", "api/v1/fleets/default", FLEET).status()).isEqualTo(200);
    }

    @AfterAll
    static void stop() {
        server.close();
        broker.stop(0);
        provider.close();
    }

    private static Reply send(String method, String path, String body) {
        List<String> headers = new ArrayList<>(List.of(registry.asOperator()));
        headers.addAll(List.of("Content-Type", JSON));
        return registry.send(
                method, path, body.replace('\'', '"').getBytes(StandardCharsets.UTF_8), headers.toArray(String[]::new));
    }

    private static void assign(Registered device, String subject) {
        Reply reply = send(
                "PUT",
                "api/v1/devices/" + device.deviceId() + "/owner",
                "{'provider':'customers','subject':'" + subject + "'}");
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    }

    private static void release(Registered device) {
        Reply reply = registry.send(
                "DELETE", "api/v1/devices/" + device.deviceId() + "/owner", new byte[0], registry.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(204);
    }

    private static JsonNode own(Registered device) {
        return registry.ownRecord(registry.accessToken(device)).json();
    }

    private static List<String> topics(Registered device, String kind) {
        List<String> topics = new ArrayList<>();
        own(device).path("topics").path(kind).forEach(topic -> topics.add(topic.asText()));
        return topics;
    }

    private static Reply ask(String what, String body) {
        return registry.post(
                "mqtt/" + SharedWorld.listenerSecret("json") + "/json/" + what, JSON, body.replace('\'', '"'));
    }

    private static boolean mayPublish(Registered device, String topic) {
        return ask(
                        "topic",
                        "{'clientId':'%s','username':'%s','action':'publish','topic':'%s'}"
                                .formatted(device.deviceId(), device.key(), topic))
                .json()
                .path("allow")
                .asBoolean();
    }

    private static JsonNode logIn(Registered device, String password) {
        return ask(
                        "login",
                        "{'clientId':'%s','username':'%s','password':'%s'}"
                                .formatted(device.deviceId(), device.key(), password))
                .json();
    }

    @Test
    void topicsFollowTheOwnerAtOnce() {
        Registered device = registry.newDevice();
        assertThat(topics(device, "publish")).isEmpty();
        assertThat(topics(device, "subscribe")).containsExactly("all");

        assign(device, "anna");
        String ofAnna = topics(device, "publish").get(0);
        assertThat(ofAnna).matches("[0-9a-f]{32}/" + device.deviceId() + "/state");
        assertThat(mayPublish(device, ofAnna)).isTrue();
        assertThat(logIn(device, device.secret()).path("publish").path(0).asText())
                .isEqualTo(ofAnna);

        assign(device, "bernd");
        String ofBernd = topics(device, "publish").get(0);
        assertThat(ofBernd).isNotEqualTo(ofAnna);
        assertThat(mayPublish(device, ofAnna)).isFalse();
        assertThat(mayPublish(device, ofBernd)).isTrue();
        assertThat(own(device).path("owned").asBoolean()).isTrue();

        release(device);
        assertThat(mayPublish(device, ofBernd)).isFalse();
        assertThat(topics(device, "publish")).isEmpty();
        assertThat(logIn(device, device.secret()).path("allow").asBoolean()).isTrue();
    }

    @Test
    void devicesOfOneOwnerShareTheOwnersTopics() {
        Registered one = registry.newDevice();
        Registered two = registry.newDevice();
        assign(one, "carla");
        assign(two, "carla");

        assertThat(topics(one, "subscribe")).isEqualTo(topics(two, "subscribe")).hasSize(2);
    }

    @Test
    void connectionEndsWithTheOwnerAndItsSessionToo() {
        Registered device = registry.newDevice();
        assertThat(logIn(device, device.secret()).path("allow").asBoolean()).isTrue();
        String call = "DELETE /clients/" + device.deviceId() + "?session=end";

        assign(device, "anna");

        within(Duration.ofSeconds(10), call, () -> CALLS.contains(call));
        assertThat(logIn(device, device.secret()).path("allow").asBoolean())
                .as("it may connect again")
                .isTrue();
    }

    @Test
    void tokenWithTopicsOfTheOwnerBeforeIsNotGood() {
        Registered device = registry.newDevice();
        assign(device, "anna");
        String token = registry.accessToken(device);
        assertThat(registry.isActive(token)).isTrue();
        assertThat(logIn(device, token).path("allow").asBoolean()).isTrue();

        assign(device, "bernd");

        assertThat(registry.isActive(token)).isFalse();
        assertThat(logIn(device, token).path("allow").asBoolean()).isFalse();
        assertProblem(registry.ownRecord(token), 401, "unauthorized");
        String next = registry.accessToken(device);
        assertThat(registry.isActive(next)).isTrue();
        assertThat(logIn(device, next).path("allow").asBoolean()).isTrue();
    }

    private static Reply claim(String user, String code) {
        return registry.post(
                "claims",
                JSON,
                "{\"code\":\"" + code + "\"}",
                bearer(provider.accessToken("customers", user, "muster", Map.of())));
    }

    @Test
    void userInFrontOfTheDeviceClaimsItByTheCodeOnItsDisplay(@TempDir Path directory) throws Exception {
        String serial = registry.expectedSerial();
        DeviceClient device = DeviceClient.builder()
                .registry(registry.base())
                .serial(serial)
                .store(directory.resolve("device.json"))
                .build();
        device.register();
        assertThat(device.isOwned()).isFalse();
        DisplayCode before = device.claimCode();
        DisplayCode code = device.claimCode();
        assertThat(code.code()).matches("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]");
        assertThat(code.url().toString()).endsWith("/claim#" + code.code().replace("-", ""));

        assertProblem(claim("dora", before.code()), 404, "claim-refused");
        Reply claimed = claim("dora", code.code().toLowerCase(Locale.ROOT).replace("-", " "));

        assertThat(claimed.status()).as(claimed.toString()).isEqualTo(201);
        assertThat(claimed.json().path("serial").asText()).isEqualTo(serial);
        // The token that it had is for nobody's device; the client gets another by itself.
        assertThat(device.isOwned()).isTrue();
        assertThat(device.mqttWithToken().topics().publish())
                .singleElement()
                .asString()
                .endsWith("/state");
        Reply refused = registry.post("devices/me/claim-code", JSON, "{}", bearer(device.accessToken()));
        assertProblem(refused, 409, "conflict");
    }

    @Test
    void labelClaimsTheDeviceBeforeItIsOnLine() {
        String serial = registry.expectedSerial();
        Reply list = send("POST", "api/v1/fleets/default/claim-codes", "{'serials':['" + serial + "']}");
        String[] row = list.text().lines().toList().get(1).split(",");
        assertThat(row[0]).isEqualTo(serial);

        assertThat(claim("emil", row[2].replaceFirst(".*#", "")).status()).isEqualTo(201);
        assertProblem(claim("fred", row[1]), 409, "already-claimed");

        Registered device = registry.registered(serial);
        assertThat(own(device).path("owned").asBoolean()).isTrue();
        assertThat(topics(device, "publish")).hasSize(1);
    }

    @Test
    void codeForTheDisplayIsForTheDeviceAlone() {
        assertProblem(registry.post("devices/me/claim-code", JSON, "{}"), 401, "unauthorized");
        assertProblem(registry.post("devices/me/claim-code", JSON, "{}", registry.asOperator()), 401, "unauthorized");
        String token = registry.accessToken(registry.newDevice());
        assertProblem(
                registry.post("devices/me/claim-code", JSON, "{\"minutes\":60}", bearer(token)),
                400,
                "invalid-request");
        Reply code = registry.send("POST", "devices/me/claim-code", new byte[0], bearer(token));
        assertThat(code.status()).as(code.toString()).isEqualTo(201);
        assertThat(code.header("Cache-Control")).hasValue("no-store");
    }
}
