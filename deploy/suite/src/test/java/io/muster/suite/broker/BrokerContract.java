// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.spi.TimeLimit;
import io.muster.suite.broker.MqttParty.Message;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.Within;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The promises to devices at every broker that works with Muster: their own topics and no others. The messages
 * delivered to a client that receives everything count, not the broker's acknowledgements.
 */
abstract class BrokerContract {

    /** How often each kind of foreign message is tried, and how many devices are disconnected; more in manual runs. */
    private static final int ATTEMPTS = Integer.getInteger("broker.attempts", 8);

    private static final int REVOCATIONS = Integer.getInteger("broker.revocations", 45);
    private static final int THREADS = 8;
    private static final AtomicInteger NAMES = new AtomicInteger();

    /**
     * A broker and a registry.
     *
     * @param registry the registry that the broker asks
     * @param other another node of it, or the same, which operators use
     * @param address of the broker
     * @param collector receives everything
     * @param commander the password of a client of this name that may publish everything: an operator's token, if the
     *     broker asks
     * @param known waits until the broker knows a new device, which is at once if it asks
     */
    record Pair(
            RegistryUnderTest registry,
            RegistryUnderTest other,
            String address,
            MqttParty collector,
            String commander,
            Consumer<Registered> known) {

        Pair(
                RegistryUnderTest registry,
                RegistryUnderTest other,
                String address,
                MqttParty collector,
                String commander) {
            this(registry, other, address, collector, commander, device -> {});
        }

        MqttParty connect(Registered device) throws MqttException {
            return connect(device, MqttParty.options(device.key(), device.secret()));
        }

        MqttParty connect(Registered device, MqttConnectOptions options) throws MqttException {
            known.accept(device);
            return MqttParty.connect(address, device.deviceId(), options);
        }

        MqttParty connect(String clientId, String user, String password) throws MqttException {
            return MqttParty.connect(address, clientId, user, password);
        }

        MqttParty command() throws MqttException {
            return connect("commander-" + NAMES.incrementAndGet(), "commander", commander);
        }

        boolean isCollected(String topic, String text) {
            return collector.received().contains(new Message(topic, text));
        }
    }

    /** The broker and the registry, which run. */
    abstract Pair pair();

    /**
     * Whether the broker asks the registry about every client. One that is told of devices instead accepts no access
     * tokens and knows no operators. It must then refuse both.
     */
    boolean asks() {
        return true;
    }

    /** Makes an operator, and returns its token. */
    static String operator(RegistryUnderTest registry, String name, String right) {
        Reply made = registry.post(
                "api/v1/operators",
                RegistryUnderTest.JSON,
                "{\"name\":\"" + name + "\",\"rights\":[\"" + right + "\"]}",
                registry.asOperator());
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        return made.json().path("token").asText();
    }

    private boolean isRefused(String clientId, String user, String password) {
        try (MqttParty party = pair().connect(clientId, user, password)) {
            return !party.isConnected();
        } catch (MqttException e) {
            return true;
        }
    }

    private static void revokeOperator(RegistryUnderTest registry, String name) {
        for (JsonNode one : registry.send("GET", "api/v1/operators?limit=1000", null, registry.asOperator())
                .json()
                .path("operators")) {
            if (one.path("name").asText().equals(name)) {
                assertThat(registry.send(
                                        "DELETE",
                                        "api/v1/operators/" + one.path("id").asText(),
                                        null,
                                        registry.asOperator())
                                .status())
                        .isEqualTo(204);
            }
        }
    }

    static String state(Registered device) {
        return device.stateTopic();
    }

    static String command(Registered device) {
        return device.commandTopic();
    }

    List<Registered> newDevices(int count) {
        List<String> serials = RegistryUnderTest.unusedSerials(count);
        pair().registry().expect("default", serials);
        return serials.stream().map(pair().registry()::registered).toList();
    }

    @Test
    void deviceSpeaksAndHearsOnItsOwnTopics() throws MqttException {
        Registered device = pair().registry().newDevice();

        try (MqttParty party = pair().connect(device);
                MqttParty commander = pair().command()) {
            party.subscribe(command(device));
            party.publish(state(device), "hello");
            commander.publish(command(device), "reboot");

            Within.within(Duration.ofSeconds(5), "the state arrives", () -> pair().isCollected(state(device), "hello"));
            Within.within(Duration.ofSeconds(5), "the command arrives", () -> party.received()
                    .contains(new Message(command(device), "reboot")));
        }
    }

    @Test
    void lastWillIsSentToItsOwnTopic() throws MqttException {
        Registered device = pair().registry().newDevice();
        MqttConnectOptions options = MqttParty.options(device.key(), device.secret());
        options.setWill(state(device), "gone".getBytes(StandardCharsets.UTF_8), 1, false);

        pair().connect(device, options).cut();

        Within.within(Duration.ofSeconds(10), "the will arrives", () -> pair().isCollected(state(device), "gone"));
    }

    @Test
    void accessTokenIsAPassword() throws MqttException {
        Registered device = pair().registry().newDevice();
        if (!asks()) {
            pair().connect(device).close();
            assertThat(isRefused(
                            device.deviceId(), device.key(), pair().registry().accessToken(device)))
                    .isTrue();
            return;
        }

        try (MqttParty party = pair().connect(
                        device.deviceId(), device.key(), pair().registry().accessToken(device))) {
            party.publish(state(device), "by token");
            Within.within(
                    Duration.ofSeconds(5), "the state arrives", () -> pair().isCollected(state(device), "by token"));
        }
    }

    /** A connection that the broker must refuse. */
    private interface Attempt {
        MqttParty connect(Registered device, Registered other) throws MqttException;
    }

    @Tag("extended")
    @Test
    void nobodyIsLetInWhoIsNotADeviceOfItsOwnName() {
        List<Registered> devices = newDevices(THREADS);
        List<Registered> disabled = newDevices(THREADS);
        disabled.forEach(one -> assertThat(
                        pair().registry().change(one.deviceId(), "disable").status())
                .isEqualTo(200));
        Map<String, String> expired = new LinkedHashMap<>();
        devices.forEach(one -> expired.put(one.deviceId(), pair().registry().accessToken(one)));
        Within.within(Duration.ofSeconds(30), "tokens expire", () -> expired.values().stream()
                .noneMatch(pair().registry()::isActive));
        String token = pair().registry().accessToken(devices.get(0));
        Map<String, Attempt> kinds = new LinkedHashMap<>();
        kinds.put("wrong secret", (one, other) -> pair().connect(one.deviceId(), one.key(), other.secret()));
        kinds.put("empty secret", (one, other) -> pair().connect(one.deviceId(), one.key(), ""));
        kinds.put("unknown key", (one, other) -> pair().connect(one.deviceId(), "nobody", one.secret()));
        kinds.put("no user", (one, other) -> pair().connect(one.deviceId(), null, null));
        kinds.put("client id of another", (one, other) -> pair().connect(other.deviceId(), one.key(), one.secret()));
        kinds.put("client id of nobody", (one, other) -> pair().connect("anything", one.key(), one.secret()));
        kinds.put("expired token", (one, other) -> pair().connect(
                        one.deviceId(), one.key(), expired.get(one.deviceId())));
        kinds.put("token of another", (one, other) -> pair().connect(
                        one.deviceId(), one.key(), one.equals(devices.get(0)) ? expired.get(other.deviceId()) : token));
        kinds.put("disabled device", (one, other) -> {
            Registered none = disabled.get(devices.indexOf(one));
            return pair().connect(none.deviceId(), none.key(), none.secret());
        });
        String operator = asks()
                ? pair().commander()
                : operator(pair().registry(), "nobody there " + NAMES.incrementAndGet(), "mqtt:read");
        kinds.put("operator as a device", (one, other) -> pair().connect(one.deviceId(), "commander", operator));
        kinds.put("default account", (one, other) -> pair().connect(one.deviceId(), "guest", "guest"));

        List<String> letIn = new CopyOnWriteArrayList<>();
        eachBy(devices, kinds.size(), (device, other, kind) -> {
            String name = List.copyOf(kinds.keySet()).get(kind);
            try {
                kinds.get(name).connect(device, other).close();
                letIn.add(name);
            } catch (MqttException refused) {
                // As it should be.
            }
        });
        assertThat(letIn).isEmpty();
    }

    @Tag("extended")
    @Test
    void nothingForeignIsDeliveredToAnybody() throws MqttException {
        List<Registered> devices = newDevices(THREADS);
        List<BiFunction<Registered, Registered, String>> topics = List.of(
                (one, other) -> state(other),
                (one, other) -> command(other),
                (one, other) -> command(one),
                (one, other) -> state(one) + "/x",
                (one, other) -> "muster//state",
                (one, other) -> state(other).replace('/', '.'),
                (one, other) -> state(other) + "/",
                (one, other) -> "/" + state(other),
                (one, other) -> "x",
                (one, other) -> "$SYS/x");

        eachBy(devices, topics.size() * 2, (device, other, kind) -> {
            String topic = topics.get(kind / 2).apply(device, other);
            if (kind % 2 == 1) {
                MqttConnectOptions options = MqttParty.options(device.key(), device.secret());
                options.setWill(topic, "foreign".getBytes(StandardCharsets.UTF_8), 1, false);
                try {
                    pair().connect(device, options).cut();
                } catch (MqttException refused) {
                    // It may also be admitted. Neither proves anything; only delivered messages count.
                }
                return;
            }
            // It is admitted; otherwise the test would try nothing.
            MqttParty party = pair().connect(device);
            try (party) {
                party.publish(topic, "foreign");
            } catch (MqttException closed) {
                // It may also be acknowledged, which proves nothing.
            }
        });

        flushed();
        assertThat(pair().collector().received().stream()
                        .filter(message -> message.text().equals("foreign")))
                .isEmpty();
    }

    @Tag("extended")
    @Test
    void nothingForeignIsHeard() throws MqttException {
        List<Registered> devices = newDevices(THREADS);
        List<Registered> talkers = newDevices(THREADS);
        List<Function<Registered, String>> filters = List.of(
                BrokerContract::command,
                BrokerContract::state,
                other -> "#",
                other -> "+/+/command",
                other -> "muster/+/command",
                other -> "muster/#",
                other -> command(other) + "/#",
                other -> command(other).replace('/', '.'),
                other -> "$SYS/#",
                other -> "$share/group/" + command(other));
        List<Message> heard = new CopyOnWriteArrayList<>();

        try (MqttParty commander = pair().command()) {
            eachBy(devices, filters.size(), (device, other, kind) -> {
                Registered talker = talkers.get(devices.indexOf(device));
                MqttParty party = pair().connect(device).subscribe(command(device));
                try (party) {
                    try {
                        party.subscribe(filters.get(kind).apply(talker));
                    } catch (MqttException refused) {
                        // It may also be granted, which proves nothing.
                    }
                    commander.publish(command(talker), "foreign command");
                    // After it, so that the other message has arrived if it arrives at all.
                    commander.publish(command(device), "own command");
                    Within.within(
                            Duration.ofSeconds(5),
                            "its own is heard",
                            () -> !party.isConnected()
                                    || party.received().contains(new Message(command(device), "own command")));
                    party.received().stream()
                            .filter(message -> message.text().equals("foreign command"))
                            .forEach(heard::add);
                }
            });
        }
        assertThat(heard).isEmpty();
    }

    private interface Try {
        void once(Registered device, Registered other, int kind) throws MqttException;
    }

    /**
     * Tries each kind as often as configured, one device per thread, so that none takes over the connection of another.
     */
    private static void eachBy(List<Registered> devices, int kinds, Try one) {
        ExecutorService threads = Executors.newFixedThreadPool(devices.size());
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < devices.size(); i++) {
                Registered device = devices.get(i);
                Registered other = devices.get((i + 1) % devices.size());
                running.add(threads.submit(() -> {
                    for (int n = 0; n * devices.size() < ATTEMPTS; n++) {
                        for (int kind = 0; kind < kinds; kind++) {
                            one.once(device, other, kind);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Waits for a message that was sent after all others. */
    final void flushed() throws MqttException {
        Registered last = pair().registry().newDevice();
        try (MqttParty party = pair().connect(last)) {
            party.publish(state(last), "last");
            Within.within(Duration.ofSeconds(30), "the last arrives", () -> pair().isCollected(state(last), "last"));
        }
    }

    @Tag("extended")
    @Tag("timing")
    @Test
    void whoIsRevokedIsThrownOffWithinASecond() throws MqttException {
        long[] millis = new long[REVOCATIONS];
        int batch = 50;
        for (int from = 0; from < REVOCATIONS; from += batch) {
            List<Registered> devices = newDevices(Math.min(batch, REVOCATIONS - from));
            List<MqttParty> parties = new ArrayList<>();
            try {
                for (Registered device : devices) {
                    parties.add(pair().connect(device).subscribe(command(device)));
                }
                for (int i = 0; i < devices.size(); i++) {
                    String how = List.of("disable", "revoke", "retire").get(i % 3);
                    long before = System.nanoTime();
                    assertThat(pair().other()
                                    .change(devices.get(i).deviceId(), how)
                                    .status())
                            .isEqualTo(200);
                    long lost = parties.get(i).lost(Duration.ofSeconds(20));
                    millis[from + i] = Duration.ofNanos(lost - before).toMillis();
                }
            } finally {
                parties.forEach(MqttParty::close);
            }
        }
        Arrays.sort(millis);
        System.out.printf(
                "%s: thrown off after %d ms in the middle, %d ms at the 99th percentile of %d%n",
                getClass().getSimpleName(), millis[REVOCATIONS / 2], millis[REVOCATIONS * 99 / 100], REVOCATIONS);
        assertThat(Duration.ofMillis(millis[REVOCATIONS * 99 / 100])).isLessThan(TimeLimit.of(Duration.ofSeconds(1)));
    }

    @Test
    void operatorThatIsRevokedIsThrownOff() throws MqttException {
        String name = "listener " + NAMES.incrementAndGet();
        String token = operator(pair().registry(), name, "mqtt:read");
        if (!asks()) {
            assertThat(isRefused("listening-1", name, token)).isTrue();
            return;
        }
        try (MqttParty first = pair().connect("listening-1", name, token).subscribe("#");
                MqttParty second = pair().connect("listening/2", name, token)) {
            revokeOperator(pair().other(), name);

            first.lost(Duration.ofSeconds(20));
            second.lost(Duration.ofSeconds(20));
            Within.within(Duration.ofSeconds(4), "it is refused", () -> isRefused("listening-1", name, token));
            assertThat(pair().collector().isConnected()).isTrue();
        }
    }

    @Tag("extended")
    @Test
    void allOfALotAreThrownOff() throws MqttException {
        List<String> serials = RegistryUnderTest.unusedSerials(10);
        String lot = "lot-" + serials.get(0).toLowerCase(Locale.ROOT);
        Reply loaded = pair().registry()
                .load("serial,lot\n"
                        + String.join(
                                "\n",
                                serials.stream().map(one -> one + "," + lot).toList()) + "\n");
        assertThat(loaded.status()).as(loaded.toString()).isEqualTo(200);
        Registered other = pair().registry().newDevice();
        List<MqttParty> parties = new ArrayList<>();
        try (MqttParty stays = pair().connect(other)) {
            for (String serial : serials) {
                parties.add(pair().connect(pair().registry().registered(serial)));
            }
            Reply revoked = pair().other()
                    .post(
                            "api/v1/fleets/default/revocations",
                            RegistryUnderTest.JSON,
                            "{\"lot\":\"" + lot + "\",\"reason\":\"leaked\"}",
                            pair().other().asOperator());
            assertThat(revoked.status()).as(revoked.toString()).isEqualTo(201);

            parties.forEach(party -> party.lost(Duration.ofSeconds(20)));
            assertThat(stays.isConnected()).isTrue();
        } finally {
            parties.forEach(MqttParty::close);
        }
    }

    @Tag("extended")
    @Test
    void oldCredentialIsThrownOffWhenTheNewOneHasReplacedIt() throws MqttException {
        Registered device = newDeviceOf("quick", "{\"verifiers\":[\"database\"],\"rotationOverlap\":\"PT1S\"}");
        try (MqttParty party = pair().connect(device)) {
            Registered renewed = renewed(device);
            assertThat(party.isConnected()).isTrue();
            // Its first use.
            assertThat(pair().registry().token(renewed).status()).isEqualTo(200);

            party.lost(Duration.ofSeconds(20));
            try (MqttParty again = pair().connect(renewed)) {
                assertThat(again.isConnected()).isTrue();
            }
        }
    }

    /** A new device of a fleet that this document describes. */
    Registered newDeviceOf(String fleet, String document) {
        Reply written = pair().registry()
                .send(
                        "PUT",
                        "api/v1/fleets/" + fleet,
                        document.getBytes(StandardCharsets.UTF_8),
                        "Authorization",
                        "Bearer " + pair().registry().operatorToken(),
                        "Content-Type",
                        RegistryUnderTest.JSON);
        assertThat(written.status()).as(written.toString()).isBetween(200, 201);
        String serial = RegistryUnderTest.unusedSerial();
        pair().registry().expect(fleet, List.of(serial));
        return RegistryUnderTest.receipt(serial, pair().registry().registerIn(fleet, serial));
    }

    /** The topics of the platform that the simplest firmware was made for. */
    @Test
    void topicsAreTheFleets() throws MqttException {
        Registered device = newDeviceOf(
                "losant",
                "{\"verifiers\":[\"database\"],\"topics\":{\"publish\":[\"losant/{deviceId}/state\"],"
                        + "\"subscribe\":[\"losant/{deviceId}/command\"]}}");
        String state = "losant/" + device.deviceId() + "/state";
        String command = "losant/" + device.deviceId() + "/command";

        try (MqttParty party = pair().connect(device);
                MqttParty commander = pair().command()) {
            party.subscribe(command);
            party.publish(state, "hello");
            commander.publish(command, "reboot");

            Within.within(Duration.ofSeconds(5), "the state arrives", () -> pair().isCollected(state, "hello"));
            Within.within(Duration.ofSeconds(5), "the command arrives", () -> party.received()
                    .contains(new Message(command, "reboot")));
        }
    }

    /** The next owner's devices must not hear what is for the owner before, nor the other way round. */
    @Test
    void topicsOfAnOwnerFollowTheOwner() throws MqttException {
        Registered device = newDeviceOf(
                "owned",
                "{\"verifiers\":[\"database\"],\"claims\":{\"users\":[\"customers\"],\"by\":[\"code\"]},"
                        + "\"topics\":{\"publish\":[\"owned/{owner}/{deviceId}/state\"],"
                        + "\"subscribe\":[\"owned/{owner}/news\"]}}");
        assign(device, "anna");
        String stateForAnna = topic(device, "publish");
        String newsForAnna = topic(device, "subscribe");
        try (MqttParty party = pair().connect(device);
                MqttParty commander = pair().command()) {
            party.subscribe(newsForAnna);
            party.publish(stateForAnna, "hello anna");
            commander.publish(newsForAnna, "news");
            Within.within(
                    Duration.ofSeconds(5), "the state arrives", () -> pair().isCollected(stateForAnna, "hello anna"));
            Within.within(Duration.ofSeconds(5), "the news arrives", () -> party.received()
                    .contains(new Message(newsForAnna, "news")));

            assign(device, "bernd");
            party.lost(Duration.ofSeconds(20));
        }
        Within.within(Duration.ofSeconds(5), "there are other topics", () -> !topic(device, "publish")
                .equals(stateForAnna));
        String stateForBernd = topic(device, "publish");
        Within.within(Duration.ofSeconds(20), "the next owner hears it", () -> {
            try (MqttParty party = pair().connect(device)) {
                party.publish(stateForBernd, "hello bernd");
            } catch (MqttException e) {
                // A broker that is told of topics may not have been told yet.
            }
            return pair().isCollected(stateForBernd, "hello bernd");
        });

        List<Message> heard = new ArrayList<>();
        try (MqttParty party = pair().connect(device);
                MqttParty commander = pair().command()) {
            try {
                party.subscribe(newsForAnna);
                commander.publish(newsForAnna, "news for anna");
                party.publish(stateForAnna, "foreign");
            } catch (MqttException refused) {
                // It may also be granted, which proves nothing.
            }
            flushed();
            heard.addAll(party.received());
        }
        assertThat(heard).isEmpty();
        assertThat(pair().isCollected(stateForAnna, "foreign")).isFalse();
    }

    private void assign(Registered device, String subject) {
        Reply reply = pair().other()
                .send(
                        "PUT",
                        "api/v1/devices/" + device.deviceId() + "/owner",
                        ("{\"provider\":\"customers\",\"subject\":\"" + subject + "\"}")
                                .getBytes(StandardCharsets.UTF_8),
                        "Authorization",
                        "Bearer " + pair().other().operatorToken(),
                        "Content-Type",
                        RegistryUnderTest.JSON);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    }

    private String topic(Registered device, String kind) {
        return pair().registry()
                .ownRecord(pair().registry().accessToken(device))
                .json()
                .path("topics")
                .path(kind)
                .path(0)
                .asText();
    }

    private Registered renewed(Registered device) {
        Reply reply = pair().registry()
                .post(
                        "devices/me/credentials",
                        RegistryUnderTest.JSON,
                        "{}",
                        "Authorization",
                        RegistryUnderTest.basic(device.key(), device.secret()));
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return RegistryUnderTest.receipt(device.serial(), reply);
    }
}
