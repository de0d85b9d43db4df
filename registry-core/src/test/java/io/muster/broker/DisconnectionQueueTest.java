// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.broker.DisconnectionQueue.Entry;
import io.muster.config.MusterConfig;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.Management;
import io.muster.disconnection.Disconnections;
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
class DisconnectionQueueTest {

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
    private final Ids ids = new Ids(clock);
    private final Disconnections outbox = new Disconnections(
            List.of(new Broker(
                    BROKER,
                    BrokerKind.MOSQUITTO,
                    List.of(),
                    Set.of(),
                    Optional.of(new Management(
                            URI.create("mqtt://127.0.0.1:1883"), "muster", "a password", Optional.empty())),
                    false)),
            ids,
            clock);
    private final DisconnectionQueue queue = new DisconnectionQueue(database, ids, clock);

    @AfterEach
    void close() {
        database.close();
    }

    /** Requests that the broker be told of the device, and leases the entry to a node. */
    private Entry taken() {
        database.transaction(em -> {
            outbox.requestLogins(em, "default", Ids.bytes(DEVICE.value()));
            return null;
        });
        Entry due = queue.due(BROKER, 1).get(0);
        assertThat(queue.take(due, LEASE)).isTrue();
        clock.pass(Duration.ofMillis(1));
        return due;
    }

    private List<Entry> dueAtTheEnd() {
        clock.pass(Duration.between(clock.instant(), end));
        return queue.due(BROKER, 10);
    }

    @Test
    void rowsOfDeviceThatWaitForTheSameEndBecomeOne() {
        Entry one = taken();
        Entry other = taken();

        queue.reschedule(one, DEVICE, BROKER, end);
        queue.reschedule(other, DEVICE, BROKER, end);

        assertThat(dueAtTheEnd()).hasSize(1);
    }

    /** The other node's data about the device may be older than its end. */
    @Test
    void rowThatAnotherNodeIsAtDoesNotStandForOneThatWaits() {
        Entry atOtherNode = taken();
        Entry one = taken();

        queue.reschedule(one, DEVICE, BROKER, end);
        queue.done(atOtherNode);

        assertThat(dueAtTheEnd()).hasSize(1);
    }

    @Test
    void nodeThatIsSlowLearnsThatAnotherWasThrough() {
        Entry one = taken();
        clock.pass(LEASE);
        Entry again = queue.due(BROKER, 1).get(0);
        assertThat(queue.take(again, LEASE)).isTrue();
        assertThat(queue.done(again)).isTrue();

        assertThat(queue.markTold(one, end)).isFalse();
        assertThat(queue.done(one)).isFalse();
        assertThat(queue.reschedule(one, DEVICE, BROKER, end)).isFalse();
        assertThat(dueAtTheEnd()).isEmpty();
    }

    @Test
    void whatTakesLongIsKeptForAsLongAsTheNodeLives() {
        queue.requestFullComparison(BROKER);
        Entry whole = queue.due(BROKER, 1).get(0);
        assertThat(queue.take(whole, LEASE)).isTrue();
        for (int i = 0; i < 10; i++) {
            clock.pass(LEASE.dividedBy(2));
            assertThat(queue.due(BROKER, 1)).isEmpty();
            queue.renew(whole, LEASE);
        }

        clock.pass(LEASE);

        assertThat(queue.due(BROKER, 1)).as("the node died").hasSize(1);
    }

    @Test
    void whatIsAskedForMeanwhileIsNotPutOff() {
        queue.requestFullComparison(BROKER);
        Entry whole = queue.due(BROKER, 1).get(0);
        assertThat(queue.take(whole, LEASE)).isTrue();
        clock.pass(Duration.ofSeconds(1));
        queue.requestFullComparison(BROKER);

        queue.renew(whole, LEASE);

        assertThat(queue.due(BROKER, 1)).hasSize(1);
    }

    @Test
    void whatIsDoneIsNotBroughtForward() {
        queue.requestFullComparison(BROKER);
        Entry whole = queue.due(BROKER, 1).get(0);
        assertThat(queue.take(whole, LEASE)).isTrue();
        queue.markCompared(whole, end);

        queue.renew(whole, LEASE);

        clock.pass(LEASE.multipliedBy(2));
        assertThat(queue.due(BROKER, 1)).isEmpty();
    }
}
