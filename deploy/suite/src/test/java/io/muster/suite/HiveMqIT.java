package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.suite.RegistryUnderTest.Registered;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A HiveMQ CE with the extension that asks the registry about everybody. */
class HiveMqIT extends BrokerContract {

    private static final String LISTENER = "listener-secret-of-hivemq-0123456789";
    private static final String MANAGEMENT_PASSWORD = "password-of-the-registry-at-hivemq";

    private static RegistryUnderTest registry;
    private static HiveMqServer hive;
    private static Pair pair;

    @BeforeAll
    static void start() throws IOException, MqttException {
        Path directory = Registries.directory("hivemq");
        URI management = URI.create("http://127.0.0.1:" + Registries.unusedPort());
        Map<String, String> properties = Registries.database(directory, Registries.mariaDb(), "hivemq");
        properties.put("muster.token.lifetime", "PT10S");
        properties.putAll(Map.of(
                "muster.mqtt.brokers",
                "hive",
                "muster.mqtt.broker.hive.kind",
                "json",
                "muster.mqtt.broker.hive.secret",
                LISTENER,
                "muster.mqtt.broker.hive.management-url",
                management.toString(),
                "muster.mqtt.broker.hive.management-user",
                "muster",
                "muster.mqtt.broker.hive.management-password-file",
                Files.writeString(directory.resolve("management-password"), MANAGEMENT_PASSWORD)
                        .toString()));
        MusterServer server = MusterServer.start(Registries.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
        hive = HiveMqServer.start(directory, registry.base(), LISTENER, management, MANAGEMENT_PASSWORD);
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

    @Test
    void loginByTokenEndsWithTheToken() throws MqttException {
        Registered device = registry.newDevice();

        try (MqttParty party = pair.connect(device.deviceId(), device.key(), registry.accessToken(device))) {
            party.lost(Duration.ofSeconds(15));
        }
    }

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

    @Test
    void faultyConfigurationLetsNobodyIn() throws IOException {
        Path directory = Registries.directory("hivemq-faulty");
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
