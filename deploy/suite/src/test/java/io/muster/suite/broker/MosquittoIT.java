// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Mosquitto, which does not ask: the registry writes the logins into its plug-in for dynamic security. */
@Tag("extended")
@Aside
@Order(7)
class MosquittoIT extends BrokerContract {

    private static final String COLLECTOR = "password-of-the-collector";
    private static final String COMMANDER = "password-of-the-commander";
    private static final Duration SOON = Duration.ofSeconds(20);

    private static RegistryUnderTest registry;
    private static MosquittoServer mosquitto;
    private static Pair pair;

    @BeforeAll
    static void start() throws IOException, MqttException {
        Required.there(MosquittoServer.isInstalled(), "Mosquitto is not installed");
        Path directory = SharedWorld.directory("mosquitto");
        mosquitto = MosquittoServer.start(directory);
        strangers();
        registry = registry(directory, "mosquitto", mosquitto, MosquittoServer.ADMIN_PASSWORD);
        pair = new Pair(registry, registry, mosquitto.address(), collect(), COMMANDER, MosquittoIT::isKnown);
    }

    private static RegistryUnderTest registry(Path directory, String name, MosquittoServer broker, String password)
            throws IOException {
        MusterServer server = MusterServer.start(SharedWorld.settings(
                directory, properties(directory, name, "mqtt://127.0.0.1:" + broker.port(), password)));
        return new RegistryUnderTest(server, server.operatorToken());
    }

    /** Another node of {@link #registry}, which tells the broker over TLS. */
    private static RegistryUnderTest anotherNode() throws IOException {
        Path directory = SharedWorld.directory("mosquitto-other");
        Map<String, String> properties = properties(
                directory, "mosquitto", "mqtts://localhost:" + mosquitto.tlsPort(), MosquittoServer.ADMIN_PASSWORD);
        properties.put("muster.issuer", registry.base().toString().replaceAll("/$", ""));
        properties.put(
                "muster.master-key-file",
                registry.server().dataDir().resolve("master-key").toString());
        return new RegistryUnderTest(
                MusterServer.start(SharedWorld.settings(directory, properties)
                        .withSystemProperty(
                                "javax.net.ssl.trustStore", mosquitto.keyStore().toString())
                        .withSystemProperty("javax.net.ssl.trustStorePassword", Factory.PASSWORD)),
                registry.operatorToken());
    }

    private static Map<String, String> properties(Path directory, String database, String management, String password) {
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), database);
        properties.put("muster.token.lifetime", "PT10S");
        properties.putAll(SharedWorld.absentProvider());
        properties.putAll(
                SharedWorld.broker(directory, "mosquitto", URI.create(management), MosquittoServer.ADMIN, password));
        return properties;
    }

    /** Makes clients that are no devices, as the operator of a broker does. */
    private static void strangers() {
        mosquitto.control("createRole", "hears");
        mosquitto.control("addRoleACL", "hears", "subscribePattern", "#", "allow");
        mosquitto.control("createClient", "collector", "-p", COLLECTOR);
        mosquitto.control("addClientRole", "collector", "hears");
        mosquitto.control("createRole", "speaks");
        mosquitto.control("addRoleACL", "speaks", "publishClientSend", "#", "allow");
        mosquitto.control("createClient", "commander", "-p", COMMANDER);
        mosquitto.control("addClientRole", "commander", "speaks");
    }

    private static MqttParty collect() throws MqttException {
        return MqttParty.connect(mosquitto.address(), "collector", "collector", COLLECTOR)
                .subscribe("#");
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.collector().close();
        }
        if (registry != null) {
            registry.server().close();
        }
        if (mosquitto != null) {
            mosquitto.close();
        }
    }

    @Override
    Pair pair() {
        return pair;
    }

    @Override
    boolean asks() {
        return false;
    }

    private static void isKnown(Registered device) {
        Within.within(SOON, "the broker knows it", () -> mosquitto.known().contains('"' + device.key() + '"'));
    }

    private static boolean isLetIn(Registered device) {
        try (MqttParty party = pair.connect(device.deviceId(), device.key(), device.secret())) {
            return party.isConnected();
        } catch (MqttException e) {
            return false;
        }
    }

    private static String metrics() {
        return registry.get("metrics", registry.asOperator()).toString();
    }

    private static double repaired() {
        return metrics()
                .lines()
                .filter(line -> line.startsWith("muster_broker_repaired_total{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElse(0);
    }

    /** Kills the broker, which loses its memory, and starts it again from its file. */
    private void restart(Runnable meanwhile) throws MqttException {
        mosquitto.kill();
        pair.collector().close();
        meanwhile.run();
        mosquitto.launch();
    }

    private void collectAgain() throws MqttException {
        pair = new Pair(registry, registry, mosquitto.address(), collect(), COMMANDER, MosquittoIT::isKnown);
    }

    @Tag("timing")
    @Test
    void newDeviceIsKnownAtOnce() {
        long[] millis = new long[20];
        for (int i = 0; i < millis.length; i++) {
            Registered device = registry.newDevice();
            long before = System.nanoTime();
            isKnown(device);
            millis[i] = Duration.ofNanos(System.nanoTime() - before).toMillis();
        }
        Arrays.sort(millis);
        System.out.printf(
                "From the reply to the registration until the broker knows the device: %d ms in the middle, %d ms at most%n",
                millis[millis.length / 2], millis[millis.length - 1]);
        assertThat(Duration.ofMillis(millis[millis.length / 2])).isLessThan(TimeLimit.of(Duration.ofMillis(500)));
    }

    @Test
    void enabledDeviceIsLetInAgain() {
        Registered device = registry.newDevice();
        Within.within(SOON, "it is let in", () -> isLetIn(device));

        assertThat(registry.change(device.deviceId(), "disable").status()).isEqualTo(200);
        Within.within(SOON, "it is refused", () -> !isLetIn(device));
        assertThat(registry.change(device.deviceId(), "enable").status()).isEqualTo(200);

        Within.within(SOON, "it is let in again", () -> isLetIn(device));
    }

    /** The broker's log tells of it. Without that the credential would lapse although it is used every day. */
    @Test
    void connectionConfirmsTheCredential() throws MqttException {
        Registered device = registry.newDevice();

        pair.connect(device).close();

        Within.within(
                SOON,
                "the same serial cannot register again",
                () -> registry.register(device.serial()).status() == 400);
    }

    @Test
    void firstConnectionWhileTheRegistryIsAwayConfirmsTheCredentialWhenItIsBack() throws MqttException {
        Registered device = registry.newDevice();
        isKnown(device);
        registry.server().kill();
        try (MqttParty party = pair.connect(device)) {
            registry.server().restart();

            party.lost(SOON);
        }
        pair.connect(device).close();

        Within.within(
                SOON,
                "the same serial cannot register again",
                () -> registry.register(device.serial()).status() == 400);
    }

    @Test
    void deviceIsDisconnectedWhenItsTopicsChange() throws MqttException {
        Registered device = newDeviceOf("moved", topics("before"));
        try (MqttParty party = pair.connect(device)) {
            assertThat(put("moved", topics("after")).status()).isEqualTo(200);

            party.lost(SOON);
        }
    }

    @Test
    void topicsThatAreTheFleetsNoLongerAreNotHeard() throws MqttException {
        Registered device = newDeviceOf("moving", topics("old"));
        MqttConnectOptions lasting = MqttParty.options(device.key(), device.secret());
        lasting.setCleanSession(false);
        try (MqttParty party = pair.connect(device, lasting)) {
            party.subscribe("old/" + device.deviceId());
        }

        assertThat(put("moving", topics("new")).status()).isEqualTo(200);

        String role = "\"new/" + device.deviceId();
        Within.within(SOON, "the broker knows", () -> mosquitto.known().contains(role));
        try (MqttParty party = pair.connect(device, lasting);
                MqttParty commander = pair.command()) {
            party.subscribe("new/" + device.deviceId());
            commander.publish("old/" + device.deviceId(), "stale");
            commander.publish("new/" + device.deviceId(), "fresh");
            Within.within(SOON, "the command arrives", () -> party.received().size() > 0);
            assertThat(party.received()).extracting(MqttParty.Message::text).containsExactly("fresh");
        }
    }

    private static String topics(String word) {
        return "{\"verifiers\":[\"database\"],\"topics\":{\"publish\":[\"" + word
                + "/{deviceId}/state\"],\"subscribe\":[\"" + word + "/{deviceId}\"]}}";
    }

    private static Reply put(String fleet, String document) {
        return registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                document.getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                RegistryUnderTest.JSON,
                "If-Match",
                "*");
    }

    @Test
    void brokerThatIsBackIsCaughtUpWithAndWhatWasChangedThereIsMended() throws MqttException {
        List<Registered> gone = newDevices(10);
        Registered deleted = registry.newDevice();
        Registered widened = registry.newDevice();
        for (Registered one : List.of(deleted, widened, gone.get(0), gone.get(9))) {
            Within.within(SOON, "it is let in", () -> isLetIn(one));
        }
        // By hand.
        mosquitto.control("deleteClient", deleted.key());
        mosquitto.control("addRoleACL", "muster-" + widened.deviceId(), "publishClientSend", "#", "allow");
        mosquitto.control("addClientRole", "collector", "muster-" + widened.deviceId());
        mosquitto.control("createRole", "muster-stranger");
        double before = repaired();
        List<Registered> late = new ArrayList<>();

        restart(() -> {
            gone.forEach(
                    one -> assertThat(registry.change(one.deviceId(), "disable").status())
                            .isEqualTo(200));
            late.addAll(newDevices(1));
        });

        Within.within(SOON, "what was changed is mended", () -> isLetIn(deleted));
        Within.within(SOON, "who came meanwhile is let in", () -> isLetIn(late.get(0)));
        gone.forEach(one -> Within.within(SOON, "who went meanwhile is refused", () -> !isLetIn(one)));
        // The second telling of their registration may have corrected those of devices before, which is no repair.
        Within.within(SOON, "the differences are counted", () -> repaired() >= before + 2);
        assertThat(mosquitto.known())
                .doesNotContain("muster-stranger")
                .contains("\"collector\"", "\"hears\"", "\"speaks\"", "\"commander\"");
        assertThat(mosquitto.known().split("muster-" + widened.deviceId(), -1)).hasSize(3);
        collectAgain();
        try (MqttParty party = pair.connect(widened)) {
            party.publish("muster/x", "too wide");
            party.publish(state(widened), "its own");
            Within.within(SOON, "its own arrives", () -> pair.isCollected(state(widened), "its own"));
        }
        assertThat(pair.isCollected("muster/x", "too wide")).isFalse();
    }

    @Test
    void brokerThatLostItsFileIsToldAgain() throws MqttException {
        Registered device = registry.newDevice();
        Within.within(SOON, "it is let in", () -> isLetIn(device));

        restart(mosquitto::forget);

        Within.within(SOON, "it is let in again", () -> isLetIn(device));
        strangers();
        collectAgain();
    }

    @Test
    void anotherNodeTellsItTooAndOverTls() throws IOException, MqttException {
        RegistryUnderTest other = anotherNode();
        try {
            Registered first = registry.newDevice();
            Registered second = other.newDevice();
            try (MqttParty one = pair.connect(first);
                    MqttParty two = pair.connect(second)) {
                assertThat(other.change(first.deviceId(), "disable").status()).isEqualTo(200);
                assertThat(registry.change(second.deviceId(), "disable").status())
                        .isEqualTo(200);
                one.lost(SOON);
                two.lost(SOON);
            }

            registry.server().kill();

            Registered third = other.newDevice();
            try (MqttParty party = pair.connect(third)) {
                assertThat(other.change(third.deviceId(), "disable").status()).isEqualTo(200);
                party.lost(SOON);
            }
            assertThat(isLetIn(third)).isFalse();
        } finally {
            other.server().close();
            registry.server().restart();
        }
    }

    private static String logOf(RegistryUnderTest one) {
        try {
            return Files.readString(one.server().log());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void wrongPasswordOfTheRegistryIsSaid() throws IOException {
        Path directory = SharedWorld.directory("mosquitto-refused");
        RegistryUnderTest refused = registry(directory, "refused", mosquitto, "not its password");
        try {
            Registered device = refused.newDevice();
            assertThat(refused.token(device).status()).isEqualTo(200);
            Within.within(SOON, "the log says it", () -> logOf(refused)
                    .contains("does not let this registry in: look at management-user and management-password"));
            assertThat(logOf(refused)).doesNotContain("not its password", device.secret());
        } finally {
            refused.server().close();
        }
    }
}
