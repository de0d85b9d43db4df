package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.suite.MqttParty.Message;
import io.muster.suite.RegistryUnderTest.Registered;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A RabbitMQ that asks the registry about everybody: devices by a stock MQTT client, each on its own topics. */
class RabbitMqIT {

    private static final String LISTENER = "listener-secret-of-rabbitmq-0123456789";
    private static final String MANAGEMENT_PASSWORD = "password-of-the-registry-at-rabbitmq";

    private static RegistryUnderTest registry;
    private static RabbitMqServer rabbit;
    private static String broker;
    private static MqttParty observer;
    private static String writer;

    @BeforeAll
    static void start() throws IOException, MqttException {
        assumeTrue(RabbitMqServer.isInstalled(), "RabbitMQ is not installed");
        Path directory = Registries.directory("rabbitmq");
        RabbitMqServer.Ports ports = RabbitMqServer.Ports.free();
        Map<String, String> properties = Registries.database(directory, Registries.mariaDb(), "rabbitmq");
        properties.putAll(Map.of(
                "muster.mqtt.brokers",
                "rabbit",
                "muster.mqtt.broker.rabbit.kind",
                "rabbitmq",
                "muster.mqtt.broker.rabbit.secret",
                LISTENER,
                "muster.mqtt.broker.rabbit.management-url",
                ports.managementAddress().toString(),
                "muster.mqtt.broker.rabbit.management-user",
                "muster",
                "muster.mqtt.broker.rabbit.management-password-file",
                Files.writeString(directory.resolve("management-password"), MANAGEMENT_PASSWORD)
                        .toString()));
        MusterServer server = MusterServer.start(Registries.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
        rabbit = RabbitMqServer.start(
                directory,
                ports,
                registry.base().resolve("mqtt/" + LISTENER + "/rabbitmq").toString(),
                Factory.serverFiles(directory));
        broker = "tcp://127.0.0.1:" + ports.mqtt();
        observer = MqttParty.connect(broker, "observer", "collector", operator("collector", "mqtt:read"))
                .subscribe("#");
        writer = operator("commander", "mqtt:write");
    }

    @AfterAll
    static void stop() {
        if (observer != null) {
            observer.close();
        }
        if (rabbit != null) {
            rabbit.close();
        }
        if (registry != null) {
            registry.server().close();
        }
    }

    private static String operator(String name, String right) {
        Reply made = registry.post(
                "api/v1/operators",
                RegistryUnderTest.JSON,
                "{\"name\":\"" + name + "\",\"rights\":[\"" + right + "\"]}",
                registry.asOperator());
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        return made.json().path("token").asText();
    }

    private static MqttParty connect(Registered device) throws MqttException {
        return MqttParty.connect(broker, device.deviceId(), device.key(), device.secret());
    }

    private static boolean delivered(Message message) {
        return observer.received().contains(message);
    }

    @Test
    void deviceSpeaksAndHearsOnItsOwnTopics() throws MqttException {
        Registered device = registry.newDevice();
        String state = "muster/" + device.deviceId() + "/state";
        String command = "muster/" + device.deviceId() + "/command";

        try (MqttParty party = connect(device);
                MqttParty commander = MqttParty.connect(broker, "commander-1", "commander", writer)) {
            party.subscribe(command);
            party.publish(state, "hello");
            commander.publish(command, "reboot");

            Within.within(Duration.ofSeconds(5), "the state arrives", () -> delivered(new Message(state, "hello")));
            Within.within(Duration.ofSeconds(5), "the command arrives", () -> party.received()
                    .contains(new Message(command, "reboot")));
        }
    }

    @Test
    void accessTokenIsAPassword() throws MqttException {
        Registered device = registry.newDevice();

        try (MqttParty party =
                MqttParty.connect(broker, device.deviceId(), device.key(), registry.accessToken(device))) {
            assertThat(party.isConnected()).isTrue();
        }
    }

    @Test
    void nobodyElseIsLetIn() {
        Registered device = registry.newDevice();
        Registered other = registry.newDevice();

        assertThatThrownBy(() -> MqttParty.connect(broker, device.deviceId(), device.key(), "wrong"))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, other.deviceId(), device.key(), device.secret()))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, "anything", device.key(), device.secret()))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, device.deviceId(), "nobody", device.secret()))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, device.deviceId(), null, null))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, device.deviceId(), "muster", MANAGEMENT_PASSWORD))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, device.deviceId(), "commander", writer))
                .isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> MqttParty.connect(broker, device.deviceId(), "guest", "guest"))
                .isInstanceOf(MqttException.class);
    }

    @Test
    void disabledDeviceIsThrownOffAndNotLetInAgain() throws MqttException {
        Registered device = registry.newDevice();
        try (MqttParty party = connect(device)) {
            long disabled = System.nanoTime();
            assertThat(registry.change(device.deviceId(), "disable").status()).isEqualTo(200);

            long lost = party.lost(Duration.ofSeconds(5));
            assertThat(Duration.ofNanos(lost - disabled)).isLessThan(Duration.ofSeconds(1));
            assertThatThrownBy(() -> connect(device)).isInstanceOf(MqttException.class);
        }
    }
}
