// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.Required;
import io.muster.suite.broker.MqttParty.Message;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.NodePackages;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An aedes in Node.js as in {@code docs/brokers/aedes.md}, which asks the registry about every client. */
@Tag("extended")
@Aside
class AedesIT extends BrokerContract {

    private static final String MANAGEMENT_PASSWORD = "password-of-muster-at-aedes";
    private static final Duration LIFE = Duration.ofSeconds(10);

    private static RegistryUnderTest registry;
    private static Process aedes;
    private static Pair pair;

    @BeforeAll
    static void start() throws IOException, InterruptedException, MqttException {
        Path directory = SharedWorld.directory("aedes");
        Required.there(
                NodePackages.install(
                        Path.of(System.getProperty("basedir", ""), "../../docs/brokers/aedes"),
                        "broker.mjs",
                        directory),
                "there is no node, no npm, or no registry of packages to be reached");
        int port = SharedWorld.unusedPort();
        int management = SharedWorld.unusedPort();
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "aedes");
        properties.put("muster.token.lifetime", LIFE.toString());
        properties.putAll(SharedWorld.absentProvider());
        properties.putAll(SharedWorld.broker(
                directory, "json", URI.create("http://127.0.0.1:" + management), "muster", MANAGEMENT_PASSWORD));
        MusterServer server = MusterServer.start(SharedWorld.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
        aedes = NodePackages.start(
                directory,
                List.of(
                        "node",
                        "broker.mjs",
                        registry.base()
                                .resolve("mqtt/" + SharedWorld.listenerSecret("json") + "/json")
                                .toString(),
                        String.valueOf(port),
                        String.valueOf(management),
                        directory.resolve("management-password").toString()));
        Within.within(Duration.ofSeconds(30), "aedes started, see " + directory, () -> output(directory)
                .contains("listens"));
        String address = "tcp://127.0.0.1:" + port;
        MqttParty collector = MqttParty.connect(
                        address, "collector", "collector", operator(registry, "collector", "mqtt:read"))
                .subscribe("#");
        pair = new Pair(registry, registry, address, collector, operator(registry, "commander", "mqtt:write"));
    }

    private static String output(Path directory) {
        try {
            return Files.readString(directory.resolve("output"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.collector().close();
        }
        if (aedes != null) {
            aedes.destroyForcibly().onExit().join();
        }
        if (registry != null) {
            registry.server().close();
        }
    }

    @Override
    Pair pair() {
        return pair;
    }

    /**
     * Sessions that logged in with their secret. A login with a token ends with the token, with or without a registry.
     */
    @Test
    void noSessionIsLostWhileTheRegistryIsDeadForLongerThanATokenLivesAndNobodyIsLetIn() throws MqttException {
        List<Registered> devices = newDevices(6);
        Registered other = registry.newDevice();
        List<MqttParty> parties = new ArrayList<>();
        try (MqttParty commander = pair.command();
                MqttParty byToken = pair.connect(other.deviceId(), other.key(), registry.accessToken(other))) {
            for (Registered device : devices) {
                parties.add(pair.connect(device).subscribe(command(device)));
            }
            long killed = System.nanoTime();
            registry.server().kill();
            try {
                Within.within(
                        LIFE.plusSeconds(5),
                        "longer than a token lives",
                        () -> System.nanoTime() - killed > LIFE.plusSeconds(1).toNanos());
                byToken.lost(Duration.ofSeconds(1));
                assertThatThrownBy(() -> pair.connect(other)).isInstanceOf(MqttException.class);
                assertThat(parties).allMatch(MqttParty::isConnected);
                for (int i = 0; i < devices.size(); i++) {
                    commander.publish(command(devices.get(i)), "meanwhile");
                    parties.get(i).publish(state(devices.get(i)), "still here");
                }
                for (int i = 0; i < devices.size(); i++) {
                    Registered device = devices.get(i);
                    MqttParty party = parties.get(i);
                    Within.within(
                            Duration.ofSeconds(5),
                            "both ways",
                            () -> pair.isCollected(state(device), "still here")
                                    && party.received().contains(new Message(command(device), "meanwhile")));
                }
            } finally {
                registry.server().restart();
            }
            assertThat(parties).allMatch(MqttParty::isConnected);
            pair.connect(other).close();
        } finally {
            parties.forEach(MqttParty::close);
        }
    }
}
