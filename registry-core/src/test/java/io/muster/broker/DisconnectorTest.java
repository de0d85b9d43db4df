// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.device.DeviceState;
import io.muster.operator.Grant;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A broker that gets orders to disconnect by HTTP, and does not always obey. */
@Execution(ExecutionMode.CONCURRENT)
class DisconnectorTest {

    private static final int PATIENCE_SECONDS = 20;

    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private final ExecutorService calls = Executors.newCachedThreadPool();
    private volatile Away away = Away.NOT;
    private final BlockingQueue<String> unheard = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> users = new LinkedBlockingQueue<>();
    private HttpServer broker;
    private TestRegistry settings;

    /** How the broker is unreachable: it ends each call, or does not answer. */
    private enum Away {
        NOT,
        ENDS_CALLS,
        HANGS
    }

    private TestNode registry;

    @BeforeEach
    void start() throws IOException {
        broker = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        broker.setExecutor(calls);
        broker.createContext("/clients/", exchange -> {
            String device = exchange.getRequestURI().getPath().substring("/clients/".length());
            if (away != Away.NOT) {
                unheard.add(device);
                if (away == Away.ENDS_CALLS) {
                    exchange.close();
                }
                return;
            }
            told.add(device);
            exchange.sendResponseHeaders(refused.contains(device) ? 500 : 204, -1);
            exchange.close();
        });
        broker.createContext("/users/", exchange -> {
            users.add(exchange.getRequestURI().getPath().substring("/users/".length()));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        broker.start();
        settings = TestRegistry.fresh()
                .with(Clock.systemUTC())
                .with("anybody", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "anybody")
                .with("muster.mqtt.brokers", "fake")
                .with("muster.mqtt.broker.fake.kind", "json")
                .with("muster.mqtt.broker.fake.secret", "a-secret-of-thirty-two-characters")
                .with(
                        "muster.mqtt.broker.fake.management-url",
                        "http://127.0.0.1:" + broker.getAddress().getPort())
                .with("muster.mqtt.broker.fake.management-user", "muster")
                .with("muster.mqtt.broker.fake.management-password", "a password");
        registry = settings.start();
    }

    @AfterEach
    void stop() {
        registry.close();
        broker.stop(0);
        calls.shutdownNow();
    }

    private RegistrationReceipt registered(String serial) {
        return registry.registrar().register(Candidate.of(new SerialNumber(serial), "default", "127.0.0.1"));
    }

    private DeviceId device(String serial) {
        RegistrationReceipt receipt = registered(serial);
        assertThat(registry.authenticator().authenticate(receipt.key(), receipt.secret()))
                .isPresent();
        return new DeviceId(receipt.deviceId());
    }

    private void disable(DeviceId device) {
        registry.devices().change(device, DeviceState.DISABLED, "somebody");
    }

    private List<DeviceId> disabledDevices(int count) {
        List<DeviceId> devices =
                IntStream.range(0, count).mapToObj(i -> device("SN-1" + i)).toList();
        devices.forEach(this::disable);
        return devices;
    }

    /** Returns once all are told; fails when that takes longer. */
    private void assertAllToldWithin(Duration time, List<DeviceId> devices) throws InterruptedException {
        Set<String> missing = devices.stream().map(DeviceId::value).collect(Collectors.toSet());
        long until = System.nanoTime() + TimeLimit.of(time).toNanos();
        while (!missing.isEmpty()) {
            String next = told.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
            assertThat(next).as("told within %s but for %s", time, missing).isNotNull();
            missing.remove(next);
        }
    }

    private void assertTold(DeviceId device) throws InterruptedException {
        for (String next = null; !device.value().equals(next); ) {
            next = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(next).as("somebody is told").isNotNull();
        }
    }

    @Test
    void brokerIsToldTwiceBecauseAnotherNodeMayHaveLetItInMeanwhile() throws InterruptedException {
        DeviceId device = device("SN-0001");

        disable(device);

        assertTold(device);
        assertTold(device);
        assertThat(registry.metrics()).contains("muster_broker_disconnect_seconds_count{broker=\"fake\"} 1");
    }

    @Test
    void deviceThatCannotBeThrownOffKeepsNoOtherWaitingAndIsNotForgotten() throws InterruptedException {
        DeviceId stuck = device("SN-0001");
        DeviceId other = device("SN-0002");
        refused.add(stuck.value());
        // More than there are threads.
        for (int i = 0; i < 20; i++) {
            DeviceId another = device("SN-1" + i);
            refused.add(another.value());
            disable(another);
        }
        disable(stuck);
        assertTold(stuck);

        disable(other);

        assertTold(other);
        assertTold(stuck);
        refused.clear();
        assertTold(stuck);
    }

    /** Another node takes over the work, as soon as promised. */
    @Tag("extended")
    @Tag("timing")
    @Test
    void whatANodeHadBegunWhenItDiedIsToldByAnotherWithinTenSeconds() throws InterruptedException {
        away = Away.HANGS;
        List<DeviceId> devices = disabledDevices(32);
        for (int i = 0; i < 4; i++) {
            assertThat(unheard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .as("a call that hangs")
                    .isNotNull();
        }

        registry.close();
        away = Away.NOT;
        registry = settings.start();

        assertAllToldWithin(Duration.ofSeconds(10), devices);
    }

    @Tag("extended")
    @Tag("timing")
    @Test
    void brokerThatHungIsToldWithinTenSecondsAfterItIsBack() throws InterruptedException {
        away = Away.HANGS;
        List<DeviceId> devices = disabledDevices(32);
        // More than once for each thread, so that it waits as long as it ever does.
        for (int i = 0; i < 20; i++) {
            assertThat(unheard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .as("a call that hangs")
                    .isNotNull();
        }

        away = Away.NOT;

        assertAllToldWithin(Duration.ofSeconds(10), devices);
    }

    @Test
    void brokerThatWasAwayForLongIsToldSoonAfterItIsBack() throws InterruptedException {
        registry.close();
        TestClock clock = new TestClock();
        registry = settings.with(clock).start();
        away = Away.ENDS_CALLS;
        List<DeviceId> devices = disabledDevices(32);
        for (int tries = 0; tries < 40; tries++) {
            for (int waits = 0; unheard.poll(100, TimeUnit.MILLISECONDS) == null; waits++) {
                assertThat(waits).as("it is tried again").isLessThan(PATIENCE_SECONDS * 10);
                clock.pass(Duration.ofMinutes(1));
            }
        }

        away = Away.NOT;

        // Calls that began before may still end, and begin another pause. So time goes on, as it does for a broker.
        Set<String> missing = devices.stream().map(DeviceId::value).collect(Collectors.toSet());
        for (int seconds = 0; !missing.isEmpty(); ) {
            String next = told.poll(500, TimeUnit.MILLISECONDS);
            if (next != null) {
                missing.remove(next);
                continue;
            }
            assertThat(++seconds)
                    .as("seconds until all but %s are told", missing)
                    .isLessThanOrEqualTo(10);
            clock.pass(Duration.ofSeconds(1));
        }
    }

    /**
     * From the commit on, every node sees a row. A node whose memory is outdated must not conclude that it need tell
     * nobody.
     */
    @Test
    void whatHasEndedIsAskedOfTheDatabaseNotOfWhatTheNodeRemembers() {
        try (TestNode other = settings.start()) {
            for (int i = 0; i < 20; i++) {
                RegistrationReceipt receipt = registered("SN-1" + i);
                assertThat(other.authenticator().authenticate(receipt.key(), receipt.secret()))
                        .isPresent();
                DeviceId device = new DeviceId(receipt.deviceId());

                disable(device);

                assertThat(other.authenticator().used(device).ended()).containsExactly(receipt.key());
            }
        }
    }

    @Test
    void deviceIsThrownOffWhenItsCredentialEnds() throws InterruptedException {
        registry.close();
        TestClock clock = new TestClock();
        registry = settings.with(clock).start();
        registry.fleets()
                .put(
                        "short",
                        "{\"verifiers\":[\"anybody\"],\"credentialLifetime\":\"P1D\"}".getBytes(StandardCharsets.UTF_8),
                        there -> true,
                        "somebody");
        RegistrationReceipt receipt =
                registry.registrar().register(Candidate.of(new SerialNumber("SN-0001"), "short", "127.0.0.1"));
        assertThat(registry.authenticator().authenticate(receipt.key(), receipt.secret()))
                .isPresent();

        clock.pass(Duration.ofDays(2));

        assertTold(new DeviceId(receipt.deviceId()));
    }

    private Optional<Operators.Created> create(String name) {
        Operators operators = registry.operators();
        return operators.create(
                name,
                List.of(Grant.everywhere(Set.of(Right.MQTT_READ))),
                Optional.empty(),
                operators.find(Operators.FIRST).orElseThrow());
    }

    @Test
    void operatorIsThrownOffByName() throws InterruptedException {
        Operators.Created collector = create("col lector").orElseThrow();

        registry.operators().revoke(collector.operator().id(), "somebody");

        assertThat(users.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("col lector");
        // Or a connection that is about to end would be another operator's.
        assertThat(create("col lector")).isEmpty();
        assertThat(users.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("col lector");
        boolean free = false;
        for (int i = 0; i < 100 && !free; i++) {
            free = create("col lector").isPresent();
            assertThat(users.poll(100, TimeUnit.MILLISECONDS)).isNull();
        }
        assertThat(free).isTrue();
    }

    @Test
    void noOperatorHasTheNameOfTheRegistryAtTheBroker() {
        assertThat(create("muster")).isEmpty();
    }

    @Test
    void deviceThatNeverHadACredentialInUseIsNotConnected() throws InterruptedException {
        DeviceId never = new DeviceId(registered("SN-0003").deviceId());
        DeviceId device = device("SN-0001");

        disable(never);
        disable(device);

        assertTold(device);
        assertTold(device);
        assertThat(told).doesNotContain(never.value());
        assertThat(registry.metrics())
                .as("nobody was thrown off who was not there")
                .contains("muster_broker_disconnect_seconds_count{broker=\"fake\"} 1");
    }
}
