// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.exceptions.MqttClientStateException;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5DisconnectException;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5PubAckException;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5SubAckException;
import com.hivemq.client.mqtt.mqtt5.message.connect.connack.Mqtt5ConnAckReasonCode;
import com.hivemq.client.mqtt.mqtt5.message.disconnect.Mqtt5DisconnectReasonCode;
import com.hivemq.client.mqtt.mqtt5.message.publish.puback.Mqtt5PubAckReasonCode;
import com.hivemq.client.mqtt.mqtt5.message.subscribe.suback.Mqtt5SubAckReasonCode;
import io.muster.client.DeviceClient;
import io.muster.client.MqttCredentials;
import io.muster.client.recipes.MqttWithHiveMqClient;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A HiveMQ CE with the extension that asks the registry about everybody. */
@Aside
@Order(9)
class HiveMqIT extends BrokerContract {

    private static final String MANAGEMENT_PASSWORD = "password-of-the-registry-at-hivemq";

    private static RegistryUnderTest registry;
    private static HiveMqServer hive;
    private static Pair pair;

    @BeforeAll
    static void start() throws IOException, MqttException {
        Path directory = SharedWorld.directory("hivemq");
        URI management = URI.create("http://127.0.0.1:" + SharedWorld.unusedPort());
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "hivemq");
        properties.put("muster.token.lifetime", "PT10S");
        properties.putAll(SharedWorld.absentProvider());
        properties.putAll(SharedWorld.broker(directory, "json", management, "muster", MANAGEMENT_PASSWORD));
        MusterServer server = MusterServer.start(SharedWorld.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
        hive = HiveMqServer.start(
                directory, registry.base(), SharedWorld.listenerSecret("json"), management, MANAGEMENT_PASSWORD);
        MqttParty collector = MqttParty.connect(
                        hive.address(), "collector", "collector", operator(registry, "collector", "mqtt:read"))
                .subscribe("#");
        pair = new Pair(registry, registry, hive.address(), collector, operator(registry, "commander", "mqtt:write"));
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.collector().close();
        }
        if (hive != null) {
            hive.close();
        }
        if (registry != null) {
            registry.server().close();
        }
    }

    @Override
    Pair pair() {
        return pair;
    }

    @Tag("extended")
    @Test
    void loginByTokenEndsWithTheToken() throws MqttException {
        Registered device = registry.newDevice();

        try (MqttParty party = pair.connect(device.deviceId(), device.key(), registry.accessToken(device))) {
            party.lost(Duration.ofSeconds(15));
        }
    }

    private static Mqtt5BlockingClient mqtt5(Registered device, CompletableFuture<Throwable> lost) {
        return Mqtt5Client.builder()
                .identifier(device.deviceId())
                .serverHost("127.0.0.1")
                .serverPort(hive.port())
                .addDisconnectedListener(context -> lost.complete(context.getCause()))
                .buildBlocking();
    }

    private static void connect(Mqtt5BlockingClient client, String key, String secret) {
        client.connectWith()
                .simpleAuth()
                .username(key)
                .password(secret.getBytes(StandardCharsets.UTF_8))
                .applySimpleAuth()
                .send();
    }

    @Test
    void mqtt5HasReasonsForWhatIsRefused() throws Exception {
        Registered device = registry.newDevice();
        Registered other = registry.newDevice();
        CompletableFuture<Throwable> lost = new CompletableFuture<>();
        Mqtt5BlockingClient client = mqtt5(device, lost);
        connect(client, device.key(), device.secret());
        try {
            for (String filter : List.of(command(other), "#", "muster/+/command", "$share/g/" + command(other))) {
                assertThatThrownBy(
                                () -> client.subscribeWith().topicFilter(filter).send())
                        .isInstanceOfSatisfying(Mqtt5SubAckException.class, refused -> assertThat(
                                        refused.getMqttMessage().getReasonCodes())
                                .containsExactly(Mqtt5SubAckReasonCode.NOT_AUTHORIZED));
            }
            client.subscribeWith().topicFilter(command(device)).send();
            publish(client, state(device), "own by 5");
            Within.within(
                    Duration.ofSeconds(5), "the state arrives", () -> pair.isCollected(state(device), "own by 5"));

            assertThatThrownBy(() -> publish(client, state(other), "foreign by 5"))
                    .isInstanceOfSatisfying(Mqtt5PubAckException.class, refused -> assertThat(
                                    refused.getMqttMessage().getReasonCode())
                            .isEqualTo(Mqtt5PubAckReasonCode.NOT_AUTHORIZED));
            assertThat(reason(lost)).isEqualTo(Mqtt5DisconnectReasonCode.NOT_AUTHORIZED);
            flushed();
            assertThat(pair.isCollected(state(other), "foreign by 5")).isFalse();
        } finally {
            disconnect(client);
        }
    }

    /** Why the broker ended the connection. */
    private static Mqtt5DisconnectReasonCode reason(CompletableFuture<Throwable> lost) throws Exception {
        Throwable cause = lost.get(20, TimeUnit.SECONDS);
        assertThat(cause).isInstanceOf(Mqtt5DisconnectException.class);
        return ((Mqtt5DisconnectException) cause).getMqttMessage().getReasonCode();
    }

    private static void disconnect(Mqtt5BlockingClient client) {
        try {
            client.disconnect();
        } catch (MqttClientStateException isGone) {
            // As it should be.
        }
    }

    private static void publish(Mqtt5BlockingClient client, String topic, String text) {
        client.publishWith()
                .topic(topic)
                .qos(MqttQos.AT_LEAST_ONCE)
                .payload(text.getBytes(StandardCharsets.UTF_8))
                .send();
    }

    @Test
    void mqtt5LoginIsRefusedAndWhoIsRevokedIsThrownOff() throws Exception {
        Registered device = registry.newDevice();
        assertRefused(device, "wrong");
        CompletableFuture<Throwable> lost = new CompletableFuture<>();
        connect(mqtt5(device, lost), device.key(), device.secret());

        assertThat(registry.change(device.deviceId(), "revoke").status()).isEqualTo(200);

        assertThat(reason(lost)).isEqualTo(Mqtt5DisconnectReasonCode.NOT_AUTHORIZED);
        assertRefused(device, device.secret());
    }

    private static void assertRefused(Registered device, String secret) {
        assertThatThrownBy(() -> connect(mqtt5(device, new CompletableFuture<>()), device.key(), secret))
                .isInstanceOfSatisfying(Mqtt5ConnAckException.class, refused -> assertThat(
                                refused.getMqttMessage().getReasonCode())
                        .isEqualTo(Mqtt5ConnAckReasonCode.NOT_AUTHORIZED));
    }

    /**
     * The recipe of docs/device-client.md: the broker ends the connection with the token, and the client reconnects
     * with another.
     */
    @Tag("extended")
    @Test
    void recipeForHiveMqsClientRenewsItsPassword() throws Exception {
        Path store = SharedWorld.directory("recipe").resolve("device.json");
        MqttCredentials mqtt = DeviceClient.builder()
                .registry(registry.base())
                .serial(registry.expectedSerial())
                .store(store)
                .build()
                .mqttWithToken();
        AtomicInteger commands = new AtomicInteger();
        Mqtt5BlockingClient client = MqttWithHiveMqClient.connect(mqtt, "127.0.0.1", hive.port());
        try (MqttParty commander = pair.command()) {
            String first = mqtt.topics().subscribe().get(0);
            client.toAsync()
                    .subscribeWith()
                    .topicFilter(first)
                    .callback(command -> commands.incrementAndGet())
                    .send()
                    .get();
            Within.within(Duration.ofSeconds(20), "the broker ends it", () -> !client.getState()
                    .isConnected());
            Within.within(Duration.ofSeconds(20), "it is back", () -> client.getState()
                    .isConnected());

            publish(client, mqtt.topics().publish().get(0), "renewed");
            Within.within(Duration.ofSeconds(5), "its state arrives", () -> pair.collector().received().stream()
                    .anyMatch(message -> message.text().equals("renewed")));
            commander.publish(first, "reboot");
            Within.within(Duration.ofSeconds(5), "its command arrives", () -> commands.get() == 1);
        } finally {
            disconnect(client);
        }
        assertThat(client.getState().isConnectedOrReconnect()).isFalse();
    }

    @Tag("extended")
    @Test
    void nobodyIsLetInWhileTheRegistryIsAwayAndEverybodyAfterwards() throws MqttException {
        Registered device = registry.newDevice();
        registry.server().kill();
        try {
            assertThatThrownBy(() -> pair.connect(device)).isInstanceOf(MqttException.class);
        } finally {
            registry.server().restart();
        }
        try (MqttParty back = pair.connect(device)) {
            assertThat(back.isConnected()).isTrue();
        }
    }

    @Tag("extended")
    @Test
    void faultyConfigurationLetsNobodyIn() throws IOException {
        Path directory = SharedWorld.directory("hivemq-faulty");
        Registered device = registry.newDevice();
        try (HiveMqServer faulty = HiveMqServer.start(
                directory, registry.base(), "two secrets", URI.create("http://127.0.0.1:0"), MANAGEMENT_PASSWORD)) {
            assertThatThrownBy(
                            () -> MqttParty.connect(faulty.address(), device.deviceId(), device.key(), device.secret()))
                    .isInstanceOf(MqttException.class);
            assertThat(faulty.log()).contains("lets nobody in", "secret-file has more in it");
        }
    }
}
