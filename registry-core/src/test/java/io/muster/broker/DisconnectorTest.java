package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.muster.Registry;
import io.muster.TestClock;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.device.DeviceState;
import io.muster.operator.Operators;
import io.muster.operator.Right;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A broker that is told by HTTP whom to throw off, and does not always obey. */
class DisconnectorTest {

    private static final int PATIENCE_SECONDS = 20;

    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<String> users = new LinkedBlockingQueue<>();
    private HttpServer broker;
    private TestRegistry settings;
    private Registry registry;

    @BeforeEach
    void start() throws IOException {
        broker = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        broker.createContext("/clients/", exchange -> {
            String device = exchange.getRequestURI().getPath().substring("/clients/".length());
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

    /** A row is there for every node from the commit on, and a node that remembers what was before must not tell nobody. */
    @Test
    void whatHasEndedIsAskedOfTheDatabaseNotOfWhatTheNodeRemembers() {
        try (Registry other = settings.start()) {
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

    @Test
    void operatorIsThrownOffByName() throws InterruptedException {
        Operators.Created collector = registry.operators()
                .create("col lector", Set.of(Right.MQTT_READ), "somebody")
                .orElseThrow();

        registry.operators().revoke(collector.operator().id(), "somebody");

        assertThat(users.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("col lector");
        assertThat(users.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("col lector");
    }

    @Test
    void noOperatorHasTheNameOfTheRegistryAtTheBroker() {
        assertThat(registry.operators().create("muster", Set.of(Right.MQTT_READ), "somebody"))
                .isEmpty();
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
