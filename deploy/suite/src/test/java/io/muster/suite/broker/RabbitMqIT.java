// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.Required;
import io.muster.client.DeviceClient;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.NodePackages;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A RabbitMQ that asks the registry about every client except the registry: devices by a stock MQTT client, each on its
 * own topics.
 */
@Aside
@Order(3)
@Tag("extended")
class RabbitMqIT extends BrokerContract {

    private static final String LISTENER = SharedWorld.listenerSecret("rabbitmq");
    private static final String MANAGEMENT_PASSWORD = "password-of-the-registry-at-rabbitmq";

    private static RegistryUnderTest registry;
    private static RegistryUnderTest other;
    private static RabbitMqServer rabbit;
    private static Path ca;
    private static String collectorToken;
    private static Pair pair;

    @BeforeAll
    static void start() throws IOException, MqttException {
        Required.there(RabbitMqServer.isInstalled(), "RabbitMQ is not installed");
        Path directory = SharedWorld.directory("rabbitmq");
        RabbitMqServer.Ports ports = RabbitMqServer.Ports.free();
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "rabbitmq");
        properties.put("muster.token.lifetime", "PT10S");
        properties.putAll(SharedWorld.absentProvider());
        properties.putAll(
                SharedWorld.broker(directory, "rabbitmq", ports.managementAddress(), "muster", MANAGEMENT_PASSWORD));
        MusterServer server = MusterServer.start(SharedWorld.settings(directory, properties));
        registry = new RegistryUnderTest(server, server.operatorToken());
        other = otherNode(properties);
        Factory.ServerFiles tls = Factory.serverFiles(directory);
        ca = tls.ca();
        rabbit = RabbitMqServer.start(
                directory,
                ports,
                registry.base().resolve("mqtt/" + LISTENER + "/rabbitmq").toString(),
                tls);
        String address = "tcp://127.0.0.1:" + ports.mqtt();
        collectorToken = operator(registry, "collector", "mqtt:read");
        pair = new Pair(registry, other, address, collect(address), operator(registry, "commander", "mqtt:write"));
    }

    /** Returns a node that no broker asks. */
    private static RegistryUnderTest otherNode(Map<String, String> first) {
        Path directory = SharedWorld.directory("rabbitmq-other");
        Map<String, String> properties = new TreeMap<>(first);
        properties.put("muster.issuer", registry.base().toString().replaceAll("/$", ""));
        properties.put(
                "muster.master-key-file",
                registry.server().dataDir().resolve("master-key").toString());
        return new RegistryUnderTest(
                MusterServer.start(SharedWorld.settings(directory, properties)), registry.operatorToken());
    }

    private static MqttParty collect(String address) throws MqttException {
        return MqttParty.connect(address, "collector", "collector", collectorToken)
                .subscribe("#");
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.collector().close();
        }
        if (rabbit != null) {
            rabbit.close();
        }
        if (other != null) {
            other.server().close();
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
    void nobodyIsLetInWhileTheRegistryIsAwayOrAnswersAnythingElseAndEverybodyAfterwards() throws MqttException {
        Registered device = registry.newDevice();
        Registered another = registry.newDevice();
        try (MqttParty stays = pair.connect(device)) {
            registry.server().kill();
            try {
                assertThatThrownBy(() -> pair.connect(another)).isInstanceOf(MqttException.class);
                for (Impostor.Answer answer : Impostor.Answer.values()) {
                    try (Impostor impostor = new Impostor(registry.base().getPort(), answer)) {
                        assertThatThrownBy(() -> pair.connect(another))
                                .as(answer.name())
                                .isInstanceOf(MqttException.class);
                        assertThat(impostor.questions()).isPositive();
                    }
                }
                assertThat(stays.isConnected()).isTrue();
            } finally {
                registry.server().restart();
            }
            try (MqttParty back = pair.connect(another)) {
                back.publish(state(another), "back");
                Within.within(Duration.ofSeconds(5), "it speaks", () -> pair.isCollected(state(another), "back"));
            }
        }
    }

    /**
     * Otherwise nobody could be disconnected exactly when it matters: RabbitMQ does not ask about the user that gives
     * the order.
     */
    @Tag("timing")
    @Test
    void whoIsRevokedIsThrownOffByTheOtherNodeWhileTheOneThatRabbitMqAsksIsDead() throws MqttException {
        List<Registered> devices = newDevices(32);
        List<MqttParty> parties = new ArrayList<>();
        long[] millis = new long[devices.size()];
        try {
            for (Registered device : devices) {
                parties.add(pair.connect(device).subscribe(command(device)));
            }
            registry.server().kill();
            long[] revoked = new long[devices.size()];
            for (int i = 0; i < devices.size(); i++) {
                String how = List.of("disable", "revoke", "retire").get(i % 3);
                revoked[i] = System.nanoTime();
                assertThat(other.change(devices.get(i).deviceId(), how).status())
                        .isEqualTo(200);
            }
            for (int i = 0; i < devices.size(); i++) {
                millis[i] = Duration.ofNanos(parties.get(i).lost(Duration.ofSeconds(20)) - revoked[i])
                        .toMillis();
            }
            assertThat(pair.collector().isConnected()).isTrue();
        } finally {
            parties.forEach(MqttParty::close);
            registry.server().restart();
        }
        Arrays.sort(millis);
        System.out.printf(
                "RabbitMqIT: thrown off by the surviving node after %d ms in the middle, %d ms at most of %d%n",
                millis[millis.length / 2], millis[millis.length - 1], millis.length);
        assertThat(Duration.ofMillis(millis[millis.length - 1])).isLessThan(TimeLimit.of(Duration.ofSeconds(10)));
    }

    /** Neither Muster's own user, nor the one that every new RabbitMQ has. */
    @Test
    void usersOfRabbitMqItselfMoveNoMessage() throws Exception {
        Registered device = registry.newDevice();
        // At once, since each waits twenty seconds for what never comes.
        inThreads(List.of(state(device), command(device), "x"), topic -> {
            try (MqttParty party = pair.connect(topic.replace('/', '-'), "muster", MANAGEMENT_PASSWORD)) {
                party.publish(topic, "from the management");
                party.lost(Duration.ofSeconds(5));
            } catch (MqttException closed) {
                // Or refused at once.
            }
            return topic;
        });
        try (MqttParty party = pair.connect("internal", "muster", MANAGEMENT_PASSWORD);
                MqttParty commander = pair.command()) {
            assertThatThrownBy(() -> {
                        party.subscribe("#");
                        party.lost(Duration.ofSeconds(5));
                        throw new IllegalStateException("it fell");
                    })
                    .isInstanceOfAny(MqttException.class, IllegalStateException.class);
            commander.publish(command(device), "to the management");
            flushed();
            assertThat(party.received()).isEmpty();
        }
        assertThatThrownBy(() -> pair.connect("guest-1", "guest", "guest")).isInstanceOf(MqttException.class);
        assertThat(pair.collector().received())
                .extracting(MqttParty.Message::text)
                .doesNotContain("from the management");
    }

    @Test
    void brokerThatWasAwayIsToldWhenItIsBack() throws MqttException {
        Registered device = registry.newDevice();
        MqttConnectOptions lasting = MqttParty.options(device.key(), device.secret());
        lasting.setCleanSession(false);
        try (MqttParty party = MqttParty.connect(pair.address(), device.deviceId(), lasting)) {
            party.subscribe(command(device));
        }
        assertThat(queues()).contains("mqtt-subscription-" + device.deviceId() + "qos1");

        rabbit.kill();
        try {
            assertThat(registry.change(device.deviceId(), "disable").status()).isEqualTo(200);
        } finally {
            rabbit.restart();
        }

        Within.within(Duration.ofSeconds(60), "what waited for the device is gone", () -> !queues().contains(
                        device.deviceId()));
        assertThatThrownBy(() -> pair.connect(device)).isInstanceOf(MqttException.class);
        // The end of the broker disconnected the collector.
        pair.collector().close();
        pair = new Pair(registry, other, pair.address(), collect(pair.address()), pair.commander());
    }

    /** Returns the management's answer to the account that disconnects devices. */
    private static String queues() {
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(
                                            rabbit.ports().managementAddress().resolve("/api/queues"))
                                    .header("Authorization", RegistryUnderTest.basic("muster", MANAGEMENT_PASSWORD))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /**
     * As in the documentation, over TCP and over TLS: the second start uses the credential that the first one stored.
     */
    @Test
    void simplestFirmwareRegistersOnceAndLivesOnMqtt() throws Exception {
        Path firmware = SharedWorld.directory("firmware");
        Required.there(
                NodePackages.install(
                        Path.of(System.getProperty("basedir", ""), "../../docs/devices/node-mqtt"),
                        "firmware.mjs",
                        firmware),
                "there is no node, no npm, or no registry of packages to be reached");
        String serial = registry.expectedSerial();

        String first =
                firmware(firmware, serial, "mqtt://127.0.0.1:" + rabbit.ports().mqtt());
        String second =
                firmware(firmware, serial, "mqtts://localhost:" + rabbit.ports().mqtts());

        assertThat(first).contains("registered", "connected as", "command one");
        assertThat(second).doesNotContain("registered").contains("connected as", "command one");
        assertThat(registry.devicesOf(serial)).hasSize(1);
    }

    private static String firmware(Path directory, String serial, String address) throws Exception {
        Process process = NodePackages.start(
                directory,
                List.of(
                        "node",
                        "firmware.mjs",
                        registry.base().toString().replaceAll("/$", ""),
                        serial,
                        "identity.json",
                        address,
                        ca.toString()));
        try {
            int heard = pair.collector().received().size();
            Within.within(Duration.ofSeconds(30), "it says hello", () -> pair.collector().received().stream()
                    .skip(heard)
                    .anyMatch(message -> message.text().equals("hello")));
            String deviceId = registry.devicesOf(serial).get(0).path("deviceId").asText();
            try (MqttParty commander = pair.command()) {
                commander.publish("muster/" + deviceId + "/command", "one");
            }
            NodePackages.Ended ended = NodePackages.ended(directory, process);
            assertThat(ended.status()).as(ended.output()).isZero();
            return ended.output();
        } finally {
            process.destroyForcibly();
        }
    }

    /**
     * As after a power cut: the devices were registered before. {@code broker.connects} is their number. At the end all
     * are connected at the same time.
     */
    @Test
    void allGetInWhoComeAtOnce() throws Exception {
        int count = Integer.getInteger("broker.connects", 300);
        List<String> serials = RegistryUnderTest.unusedSerials(count);
        for (int from = 0; from < count; from += 1_000) {
            registry.expect("default", serials.subList(from, Math.min(count, from + 1_000)));
        }
        Queue<MqttSocket> connected = new ConcurrentLinkedQueue<>();
        try {
            List<Registered> devices = inThreads(serials, serial -> {
                Registered device = registry.registered(serial);
                registry.accessToken(device);
                return device;
            });
            long before = System.nanoTime();
            inThreads(
                    devices,
                    device -> connected.add(MqttSocket.connect(rabbit.ports().mqtt(), device)));
            long millis = Duration.ofNanos(System.nanoTime() - before).toMillis();
            System.out.printf("RabbitMqIT: %d devices connected in %d ms%n", count, millis);

            assertThat(connected).hasSize(count).allMatch(MqttSocket::isAlive);
        } finally {
            connected.forEach(MqttSocket::close);
        }
    }

    private static <T, R> List<R> inThreads(List<T> all, Function<T, R> task) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<R>> running = all.stream()
                    .map(one -> threads.submit(() -> task.apply(one)))
                    .toList();
            List<R> results = new ArrayList<>();
            for (Future<R> one : running) {
                results.add(one.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** As in docs/devices/mosquitto.md; and no secret is in the list of processes. */
    @Test
    void shellPublishesByMosquittoPub() throws Exception {
        Required.programs("mosquitto_pub");
        Path directory = SharedWorld.directory("mosquitto-pub");
        Path store = directory.resolve("device.json");
        String serial = registry.expectedSerial();
        DeviceClient.builder()
                .registry(registry.base())
                .serial(serial)
                .store(store)
                .build()
                .register();
        Path program = Path.of(System.getProperty("basedir", ""), "../../docs/devices/mosquitto/publish.sh");
        assertThat(program.resolveSibling("../mosquitto.md").normalize())
                .content()
                .contains(Files.readString(program));
        // Beside the real one; reports its arguments.
        Path spy = Files.createDirectories(directory.resolve("bin")).resolve("mosquitto_pub");
        Files.writeString(
                spy,
                "#!/bin/sh\necho \"$@\" > " + directory
                        + "/seen\nexec \"$(PATH=${PATH#*:}; command -v mosquitto_pub)\" \"$@\"\n");
        assertThat(spy.toFile().setExecutable(true)).isTrue();

        Processes.Ended ended = Processes.run(
                directory,
                Map.of(
                        "PATH",
                        spy.getParent() + ":" + System.getenv("PATH"),
                        "MUSTER_DEVICE",
                        System.getProperty("muster-device.jar")),
                List.of(
                        "sh",
                        program.toString(),
                        store.toString(),
                        "127.0.0.1",
                        String.valueOf(rabbit.ports().mqtt()),
                        "from a shell"));

        assertThat(ended.status()).as(ended.all()).isZero();
        String deviceId = registry.devicesOf(serial).get(0).path("deviceId").asText();
        Within.within(
                Duration.ofSeconds(5),
                "the state arrives",
                () -> pair.isCollected("muster/" + deviceId + "/state", "from a shell"));
        assertThat(directory.resolve("seen")).content().contains("127.0.0.1").doesNotContain(deviceId, "-P");
    }

    @Test
    void secretsAreInNoLog() throws IOException {
        Registered device = registry.newDevice();
        assertThatThrownBy(() -> pair.connect(device.deviceId(), device.key(), "wrong-secret-for-the-log"));

        String logs = rabbit.log() + Files.readString(registry.server().log());
        assertThat(logs).doesNotContain(LISTENER, MANAGEMENT_PASSWORD, device.secret(), "wrong-secret-for-the-log");
    }
}
