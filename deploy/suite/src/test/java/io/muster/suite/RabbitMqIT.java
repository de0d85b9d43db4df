package io.muster.suite;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A RabbitMQ that asks the registry about everybody: devices by a stock MQTT client, each on its own topics. */
class RabbitMqIT extends BrokerContract {

    private static final String LISTENER = "listener-secret-of-rabbitmq-0123456789";
    private static final String MANAGEMENT_PASSWORD = "password-of-the-registry-at-rabbitmq";

    private static RegistryUnderTest registry;
    private static RabbitMqServer rabbit;
    private static Pair pair;

    @BeforeAll
    static void start() throws IOException, MqttException {
        assumeTrue(RabbitMqServer.isInstalled(), "RabbitMQ is not installed");
        Path directory = Registries.directory("rabbitmq");
        RabbitMqServer.Ports ports = RabbitMqServer.Ports.free();
        Map<String, String> properties = Registries.database(directory, Registries.mariaDb(), "rabbitmq");
        properties.put("muster.token.lifetime", "PT10S");
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
        String address = "tcp://127.0.0.1:" + ports.mqtt();
        MqttParty collector = MqttParty.connect(
                        address, "collector", "collector", operator(registry, "collector", "mqtt:read"))
                .subscribe("#");
        pair = new Pair(registry, address, collector, operator(registry, "commander", "mqtt:write"));
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.collector().close();
        }
        if (rabbit != null) {
            rabbit.close();
        }
        if (registry != null) {
            registry.server().close();
        }
    }

    @Override
    Pair pair() {
        return pair;
    }
}
