// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.config.MusterConfig;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The notes for other nodes, and their memory. */
class ChangesTest {

    /** As on the embedded database after a power cut: H2 writes the rows, but sometimes not its counter. */
    @Test
    void notesDoNotDependOnWhatTheDatabaseCounts() {
        TestRegistry settings = TestRegistry.fresh()
                .with("anybody", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "anybody");
        try (TestNode registry = settings.start()) {
            use(registry, "SN-0001");
            settings.execute("ALTER TABLE change_log ALTER COLUMN id RESTART WITH 1");

            use(registry, "SN-0002");
        }
    }

    private static void use(TestNode registry, String serial) {
        RegistrationReceipt device =
                registry.registrar().register(Candidate.of(new SerialNumber(serial), "default", "127.0.0.1"));
        assertThat(registry.authenticator().authenticate(device.key(), device.secret()))
                .isPresent();
    }

    private static final Duration LONG = Duration.ofMinutes(1);

    private final String url = "jdbc:h2:mem:changes" + System.nanoTime() + ";DB_CLOSE_DELAY=-1";
    private final List<Node> nodes = new ArrayList<>();

    /** The data that changes; it stands for a table. */
    private final Map<String, String> truth = new ConcurrentHashMap<>();

    /** A node, whose clocks go when they are told to. */
    private final class Node {

        private final Database database;
        private final Changes changes;
        private final Changes.Remembered<String> remembered;
        private Instant now = Instant.parse("2026-06-01T12:00:00Z");
        private long nanos = 17;

        private final Clock clock = new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now;
            }
        };

        Node(String url, Optional<String> user, Optional<String> password) {
            database = Database.open(
                    new MusterConfig.Database(url, user, password, 4, Duration.ofSeconds(2), Duration.ZERO),
                    List.of(),
                    Clock.systemUTC());
            changes = new Changes(database, clock, () -> nanos);
            remembered = changes.remember(100, subject -> Optional.ofNullable(truth.get(subject)));
            changes.poll();
            nodes.add(this);
        }

        void pass(Duration time) {
            now = now.plus(time);
            nanos += time.toNanos();
        }

        void change(String subject, String value) {
            database.transaction(em -> {
                changes.note(em, List.of(subject));
                truth.put(subject, value);
                return null;
            });
            changes.forget(List.of(subject));
        }

        String get(String subject) {
            return remembered.get(subject).orElse("absent");
        }
    }

    private Node node() {
        return new Node(url, Optional.empty(), Optional.empty());
    }

    @AfterEach
    void close() {
        nodes.forEach(node -> node.database.close());
    }

    private void execute(String sql) {
        try (Connection connection = DriverManager.getConnection(Pool.completed(url));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void valueIsRememberedUntilAnotherNodeChangesIt() {
        Node one = node();
        Node other = node();
        one.change("a", "1");
        other.changes.poll();
        assertThat(other.get("a")).isEqualTo("1");
        truth.put("a", "behind the back");
        assertThat(other.get("a")).isEqualTo("1");

        one.change("a", "2");
        other.changes.poll();

        assertThat(other.get("a")).isEqualTo("2");
    }

    @Test
    void noteThatBecomesVisibleLongAfterItWasWrittenIsNotMissed() throws Exception {
        Node one = node();
        Node other = node();
        truth.put("a", "1");
        assertThat(other.get("a")).isEqualTo("1");
        CountDownLatch written = new CountDownLatch(1);
        CountDownLatch commit = new CountDownLatch(1);
        CompletableFuture<Void> late = CompletableFuture.runAsync(() -> one.database.transaction(em -> {
            one.changes.note(em, List.of("a"));
            em.createNativeQuery("UPDATE change_log SET at = at - INTERVAL '60' SECOND WHERE subject = 'a'")
                    .executeUpdate();
            written.countDown();
            await(commit);
            truth.put("a", "2");
            return null;
        }));
        assertThat(written.await(10, TimeUnit.SECONDS)).isTrue();
        for (int i = 0; i < 3; i++) {
            one.change("b", "later " + i);
            one.changes.poll();
            other.changes.poll();
        }
        assertThat(other.get("b")).isEqualTo("later 2");
        assertThat(other.get("a")).isEqualTo("1");

        commit.countDown();
        late.get(10, TimeUnit.SECONDS);
        one.changes.poll();
        other.changes.poll();

        assertThat(other.get("a")).isEqualTo("2");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void nodeThatDidNotPollForAMinuteForgetsEverything() {
        Node one = node();
        Node other = node();
        truth.putAll(Map.of("a", "1", "b", "1"));
        assertThat(other.get("a") + other.get("b")).isEqualTo("11");
        one.change("a", "2");
        execute("UPDATE change_log SET at = at - INTERVAL '46' SECOND");
        truth.put("b", "2");

        other.pass(LONG);
        assertThat(other.get("a")).as("not trusted").isEqualTo("2");
        other.changes.poll();

        assertThat(other.get("a")).isEqualTo("2");
        assertThat(other.get("b")).isEqualTo("2");
    }

    @Test
    void eachOfTheTwoClocksThatGoesOnEndsTheTrust() {
        Node node = node();
        truth.put("a", "1");
        assertThat(node.get("a")).isEqualTo("1");
        truth.put("a", "2");

        node.now = node.now.plus(LONG);
        assertThat(node.get("a")).as("machine was asleep").isEqualTo("2");
        node.now = node.now.minus(LONG);
        node.nanos += LONG.toNanos();
        assertThat(node.get("a")).as("clock was set back").isEqualTo("2");
        node.nanos -= LONG.toNanos();
        node.now = node.now.minusMillis(1);
        assertThat(node.get("a")).as("before the poll").isEqualTo("2");
    }

    @Test
    void timeOfTheDatabaseShowsAGapThatNoClockOfTheNodeKnowsOf() {
        Node node = node();
        truth.put("a", "1");
        assertThat(node.get("a")).isEqualTo("1");
        truth.put("a", "2");
        node.changes.poll();
        assertThat(node.get("a")).isEqualTo("1");

        // The database's time cannot be set; that of the last poll stands for it.
        node.changes.lastPollWas(LONG);
        node.changes.poll();

        assertThat(node.get("a")).isEqualTo("2");
    }

    @Test
    void databaseThatAnswersAndTakesNoChangesIsNotTrustedAndEverythingIsForgottenWhenItDoes() {
        Node node = node();
        truth.put("a", "1");
        assertThat(node.get("a")).isEqualTo("1");
        truth.put("a", "2");
        execute("ALTER TABLE change_node RENAME TO change_node_away");

        node.pass(Changes.INTERVAL);
        node.changes.poll();
        assertThat(node.get("a")).isEqualTo("1");
        node.pass(Duration.ofSeconds(1));
        node.changes.poll();
        assertThat(node.changes.isFresh()).isFalse();
        assertThat(node.get("a")).isEqualTo("2");
        truth.put("a", "3");
        assertThat(node.get("a")).isEqualTo("3");
        execute("ALTER TABLE change_node_away RENAME TO change_node");
        node.changes.poll();

        assertThat(node.changes.isFresh()).isTrue();
        assertThat(node.get("a")).isEqualTo("3");
    }

    @Test
    void nodeThatOthersHaveForgottenBeginsAnewAndIsHeardAgain() {
        Node one = node();
        Node other = node();
        truth.putAll(Map.of("a", "1", "b", "1"));
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(other.get("b")).isEqualTo("1");
        execute("DELETE FROM change_node");
        other.changes.poll();
        truth.put("a", "2");
        one.change("b", "2");

        one.changes.poll();
        other.changes.poll();

        assertThat(one.get("a")).isEqualTo("2");
        assertThat(other.get("b")).isEqualTo("2");
    }

    @Test
    void noteOfAnEarlierVersionIsRead() {
        Node node = node();
        truth.put("a", "1");
        assertThat(node.get("a")).isEqualTo("1");
        truth.put("a", "2");
        execute("INSERT INTO change_log (subject) VALUES ('a')");

        node.changes.poll();

        assertThat(node.get("a")).isEqualTo("2");
    }

    @Test
    void noteWhoseCommitGotNoAnswerIsHeardWhateverBecameOfIt() {
        MariaDbServer server = MariaDbServer.start();
        try {
            Node one = new Node(server.jdbcUrl("doubt"), Optional.of(server.user()), Optional.of(server.password()));
            Node other = new Node(server.jdbcUrl("doubt"), Optional.of(server.user()), Optional.of(server.password()));
            truth.put("a", "1");
            assertThat(other.get("a")).isEqualTo("1");

            assertThatThrownBy(() -> one.database.transaction(em -> {
                        one.changes.note(em, List.of("a"));
                        truth.put("a", "2");
                        Object own =
                                em.createNativeQuery("SELECT CONNECTION_ID()").getSingleResult();
                        one.database.jdbc(connection -> {
                            try (Statement kill = connection.createStatement()) {
                                return kill.execute("KILL HARD CONNECTION " + own);
                            }
                        });
                        return null;
                    }))
                    .isInstanceOf(DatabaseUnavailableException.class);
            one.change("b", "1");
            one.changes.poll();
            other.changes.poll();
            assertThat(other.get("a")).as("nothing is known of it yet").isEqualTo("1");

            one.changes.settle();
            other.changes.poll();

            assertThat(other.get("a")).isEqualTo("2");
        } finally {
            close();
            nodes.clear();
            server.close();
        }
    }

    @Test
    void absenceIsRememberedForAMomentAndAValueForSomeMinutes() {
        Node node = node();
        assertThat(node.get("a")).isEqualTo("absent");
        truth.put("a", "1");
        assertThat(node.get("a")).isEqualTo("absent");

        node.pass(Duration.ofMillis(600));
        node.changes.poll();
        assertThat(node.get("a")).isEqualTo("1");
        truth.put("a", "2");
        for (int second = 0; second < 300; second++) {
            node.pass(Duration.ofSeconds(1));
            node.changes.poll();
            if (second == 200) {
                assertThat(node.get("a")).isEqualTo("1");
            }
        }

        assertThat(node.get("a")).isEqualTo("2");
    }
}
