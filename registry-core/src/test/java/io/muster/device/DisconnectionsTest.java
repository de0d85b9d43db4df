package io.muster.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.Management;
import io.muster.device.Disconnections.Due;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.spi.DeviceId;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The outbox of a broker that keeps logins, and two nodes at it. */
class DisconnectionsTest {

    private static final String BROKER = "mosquitto";
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final DeviceId DEVICE = new DeviceId("0190b2a6c1d27e3f8a4b5c6d7e8f9a0b");

    private final TestClock clock = new TestClock();
    private final Instant end = clock.instant().plus(Duration.ofDays(1));
    private final Database database = Database.open(
            new MusterConfig.Database(
                    "jdbc:h2:mem:outbox" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                    Optional.empty(),
                    Optional.empty(),
                    4,
                    Duration.ofSeconds(10),
                    Duration.ZERO),
            List.of(),
            clock);
    private final Disconnections outbox = new Disconnections(
            database,
            List.of(new Broker(
                    BROKER,
                    BrokerKind.MOSQUITTO,
                    List.of(),
                    Set.of(),
                    Optional.of(new Management(URI.create("mqtt://127.0.0.1:1883"), "muster", "a password")),
                    false)),
            new Ids(clock),
            clock);

    @AfterEach
    void close() {
        database.close();
    }

    /** Requests that the broker be told of the device, and takes that for a node. */
    private Due taken() {
        database.transaction(em -> {
            outbox.requestLogins(em, "default", Ids.bytes(DEVICE.value()));
            return null;
        });
        Due due = outbox.due(BROKER, 1).get(0);
        assertThat(outbox.take(due, LEASE)).isTrue();
        clock.pass(Duration.ofMillis(1));
        return due;
    }

    private List<Due> dueAtTheEnd() {
        clock.pass(Duration.between(clock.instant(), end));
        return outbox.due(BROKER, 10);
    }

    @Test
    void rowsOfDeviceThatWaitForTheSameEndBecomeOne() {
        Due one = taken();
        Due other = taken();

        outbox.again(one, DEVICE, BROKER, end);
        outbox.again(other, DEVICE, BROKER, end);

        assertThat(dueAtTheEnd()).hasSize(1);
    }

    /** What the other node knows of the device may be from before the end was there. */
    @Test
    void rowThatAnotherNodeIsAtDoesNotStandForOneThatWaits() {
        Due atOtherNode = taken();
        Due one = taken();

        outbox.again(one, DEVICE, BROKER, end);
        outbox.done(atOtherNode);

        assertThat(dueAtTheEnd()).hasSize(1);
    }
}
