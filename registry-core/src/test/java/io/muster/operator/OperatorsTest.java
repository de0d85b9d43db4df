// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.audit.AuditEvent;
import io.muster.config.ConfigurationException;
import io.muster.credential.LastUses;
import io.muster.persistence.Database;
import io.muster.persistence.Sql;
import io.muster.problem.RegistryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names that are free again, and the way back after every token was lost. */
class OperatorsTest {

    private final TestRegistry test = TestRegistry.fresh();

    private Path request() {
        return test.dataDir().resolve("new-operator");
    }

    private static Operators.Created made(TestNode registry, String name, Right right) {
        return create(registry, name, right).orElseThrow();
    }

    private static Optional<Operators.Created> create(TestNode registry, String name, Right right) {
        return registry.operators()
                .create(name, List.of(Grant.everywhere(Set.of(right))), Optional.empty(), first(registry));
    }

    private static Operator first(TestNode registry) {
        return registry.operators().find(Operators.FIRST).orElseThrow();
    }

    private static List<String> events(TestNode registry) {
        return registry.audit().list(Optional.empty(), 100).stream()
                .map(AuditEvent::type)
                .map(Object::toString)
                .toList();
    }

    private static void assertNameIsFreeAgain(TestNode registry) {
        Operators operators = registry.operators();
        Operators.Created first = made(registry, "alice", Right.DEVICES_READ);
        assertThat(create(registry, "alice", Right.INTROSPECT)).isEmpty();
        operators.revoke(first.operator().id(), "somebody");
        assertThat(operators.find("alice").orElseThrow().active()).isFalse();

        Operators.Created second = made(registry, "alice", Right.INTROSPECT);

        assertThat(create(registry, "alice", Right.INTROSPECT)).isEmpty();
        assertThat(operators.authenticate(first.token()).orElseThrow().active()).isFalse();
        assertThat(operators.authenticate(second.token())).contains(second.operator());
        assertThat(operators.find("alice")).contains(second.operator());
        assertThat(operators.list(Optional.empty(), 100))
                .filteredOn(operator -> operator.name().equals("alice"))
                .extracting(Operator::id, Operator::active)
                .containsExactlyInAnyOrder(
                        tuple(first.operator().id(), false),
                        tuple(second.operator().id(), true));
        operators.revoke(second.operator().id(), "somebody");
        assertThat(made(registry, "alice", Right.MQTT_READ).operator().name()).isEqualTo("alice");
    }

    @Test
    void nameOfARevokedOperatorIsFreeAgain() {
        try (TestNode registry = test.start()) {
            assertNameIsFreeAgain(registry);
        }
    }

    @Test
    void nameOfARevokedOperatorIsFreeAgainOnMariaDb() throws Exception {
        try (TestNode registry = TestRegistry.freshOnMariaDb().start()) {
            assertNameIsFreeAgain(registry);

            String name = "raced";
            registry.operators()
                    .revoke(made(registry, name, Right.DEVICES_READ).operator().id(), "somebody");
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<Optional<Operators.Created>>> raced = IntStream.range(0, 8)
                        .mapToObj(i -> threads.submit(() -> create(registry, name, Right.DEVICES_READ)))
                        .toList();
                int made = 0;
                for (Future<Optional<Operators.Created>> one : raced) {
                    made += one.get().isPresent() ? 1 : 0;
                }
                assertThat(made).isEqualTo(1);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    void nameIsTakenAsLongAsABrokerMayHaveAConnectionOfIt() {
        test.with("muster.mqtt.brokers", "rabbit")
                .with("muster.mqtt.broker.rabbit.secret", "a-secret-of-thirty-two-characters");
        try (TestNode registry = test.start()) {
            Operators.Created reader = made(registry, "reader", Right.DEVICES_READ);
            Operators.Created collector = made(registry, "collector", Right.MQTT_READ);
            registry.operators().revoke(reader.operator().id(), "somebody");
            registry.operators().revoke(collector.operator().id(), "somebody");

            Operators.Created former = made(registry, "former", Right.MQTT_READ);
            registry.operators()
                    .change(
                            former.operator().id(),
                            List.of(Grant.everywhere(Set.of(Right.DEVICES_READ))),
                            Optional.empty(),
                            version -> true,
                            first(registry));
            registry.operators().revoke(former.operator().id(), "somebody");
            assertThat(create(registry, "former", Right.DEVICES_READ)).isEmpty();
            // This broker is never told.
            assertThat(create(registry, "collector", Right.DEVICES_READ)).isEmpty();
            made(registry, "reader", Right.MQTT_READ);
        }
    }

    private static Operators.Created made(TestNode registry, String name, Optional<Instant> until, Grant... grants) {
        return registry.operators()
                .create(name, List.of(grants), until, first(registry))
                .orElseThrow();
    }

    private static Grant of(Role role, String... fleets) {
        return new Grant(
                Optional.of(role), Set.of(), fleets.length == 0 ? Optional.empty() : Optional.of(Set.of(fleets)));
    }

    private static void assertGrants(TestRegistry test) {
        try (TestNode registry = test.start();
                TestNode other = test.start()) {
            Operators operators = registry.operators();
            Operators.Created made =
                    made(registry, "ann", Optional.empty(), of(Role.VIEWER), of(Role.MANAGER, "a", "b"));
            Operator ann = other.operators().authenticate(made.token()).orElseThrow();

            assertThat(ann)
                    .isEqualTo(made.operator())
                    .isEqualTo(operators.get(ann.id()).orElseThrow());
            assertThat(ann.may(Right.DEVICES_READ)).isTrue();
            assertThat(ann.may(Right.DEVICES_WRITE)).isFalse();
            assertThat(ann.may(Right.LOTS_WRITE, "a")).isTrue();
            assertThat(ann.may(Right.LOTS_WRITE, "c")).isFalse();
            assertThat(ann.may(Right.LOTS_WRITE, null)).isFalse();
            assertThat(ann.maySomewhere(Right.LOTS_WRITE)).isTrue();
            assertThat(ann.maySomewhere(Right.SIGNING_WRITE)).isFalse();

            // Nobody can grant a right that they do not have.
            for (Grant more : List.of(of(Role.OPERATOR), of(Role.VIEWER, "a"), of(Role.MANAGER, "a", "c"))) {
                boolean has = more.equals(of(Role.VIEWER, "a"));
                ThrowingCallable create =
                        () -> operators.create("bob-" + more.hashCode(), List.of(more), Optional.empty(), ann);
                ThrowingCallable change =
                        () -> operators.change(ann.id(), List.of(more), Optional.empty(), version -> false, ann);
                refused(has ? Optional.empty() : Optional.of(ProblemType.FORBIDDEN), create);
                refused(Optional.of(has ? ProblemType.PRECONDITION_FAILED : ProblemType.FORBIDDEN), change);
            }
            Operators.Created admin = made(registry, "root", Optional.empty(), of(Role.ADMIN));
            refused(
                    Optional.of(ProblemType.FORBIDDEN),
                    () -> operators.change(
                            admin.operator().id(), List.of(of(Role.VIEWER)), Optional.empty(), version -> true, ann));
            Operators.Created brief =
                    made(registry, "brief", Optional.of(TestRegistry.NOW.plusSeconds(60)), of(Role.ADMIN));
            refused(
                    Optional.of(ProblemType.FORBIDDEN),
                    () -> operators.create("heir", List.of(of(Role.VIEWER)), Optional.empty(), brief.operator()));
            refused(
                    Optional.of(ProblemType.FORBIDDEN),
                    () -> operators.replaceToken(admin.operator().id(), Duration.ZERO, ann));

            Operator changed = operators.change(
                    ann.id(),
                    List.of(of(Role.VIEWER, "b")),
                    Optional.empty(),
                    version -> version == 1,
                    first(registry));
            assertThat(changed.version()).isEqualTo(2);
            assertThat(operators.authenticate(made.token())).contains(changed);
            assertThat(changed.sees("a")).isFalse();
            assertThat(changed.sees("b")).isTrue();
            assertThat(changed.maySomewhere(Right.METRICS_READ)).isFalse();
            Operator measuring = operators.change(
                    ann.id(),
                    List.of(Grant.everywhere(Set.of(Right.METRICS_READ)), of(Role.VIEWER, "b")),
                    Optional.empty(),
                    version -> true,
                    first(registry));
            assertThat(measuring.sees("a")).isFalse();
        }
    }

    private static void refused(Optional<ProblemType> type, ThrowingCallable request) {
        if (type.isEmpty()) {
            assertThatCode(request).doesNotThrowAnyException();
            return;
        }
        assertThatThrownBy(request).isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                .isEqualTo(type.get()));
    }

    private static void assertTokensAreReplaced(TestRegistry test, TestClock clock) {
        try (TestNode registry = test.start()) {
            Operators operators = registry.operators();
            Instant end = clock.instant().plus(Duration.ofDays(10));
            Operators.Created made = made(registry, "ci", Optional.of(end), of(Role.VIEWER));
            Operator ci = made.operator();
            Operators.Created second = operators.replaceToken(ci.id(), Duration.ofDays(1), ci);
            assertThat(active(operators, made.token())).isTrue();
            assertThat(active(operators, second.token())).isTrue();
            // Somebody who stole the token before cannot exchange it as well.
            refused(
                    Optional.of(ProblemType.UNAUTHORIZED),
                    () -> operators.replaceToken(ci, made.token(), Duration.ZERO));
            clock.pass(Duration.ofDays(1));
            assertThat(active(operators, made.token())).isFalse();
            assertThat(active(operators, second.token())).isTrue();
            Operators.Created third = operators.replaceToken(ci.id(), Duration.ofDays(20), ci);
            Operators.Created fourth = operators.replaceToken(ci.id(), Duration.ofDays(20), first(registry));
            assertThat(operators.authenticate(second.token())).isEmpty();
            assertThat(active(operators, third.token())).isTrue();
            assertThat(active(operators, fourth.token())).isTrue();

            clock.pass(Duration.ofDays(9).minusMillis(1));
            assertThat(active(operators, third.token())).isTrue();
            registry.part(LastUses.class).flush();
            assertThat(operators.get(ci.id()).orElseThrow().lastUsedAt()).isPresent();
            clock.pass(Duration.ofMillis(1));
            assertThat(active(operators, third.token())).isFalse();
            assertThat(active(operators, fourth.token())).isFalse();
            assertThat(operators.find("ci").orElseThrow().active()).isFalse();

            Operators.Created other = made(registry, "ci-2", Optional.empty(), of(Role.VIEWER));
            Operators.Created last =
                    operators.replaceToken(other.operator().id(), Duration.ofDays(1), other.operator());
            operators.revoke(other.operator().id(), "somebody");
            assertThat(active(operators, other.token())).isFalse();
            assertThat(active(operators, last.token())).isFalse();
        }
    }

    @Test
    void tokenOfAnOperatorAtBrokersEndsAtOnce() {
        try (TestNode registry = test.start()) {
            Operator collector = made(registry, "collector", Right.MQTT_READ).operator();
            refused(Optional.of(ProblemType.CONFLICT), () -> registry.operators()
                    .replaceToken(collector.id(), Duration.ofSeconds(1), first(registry)));
            assertThat(registry.operators()
                            .replaceToken(collector.id(), Duration.ZERO, first(registry))
                            .token())
                    .startsWith("mo_");
        }
    }

    @Test
    void eventSaysWhatAnOperatorMayDoHoweverManyGrantsItHas() {
        try (TestNode registry = test.start()) {
            Grant reading = Grant.everywhere(EnumSet.of(
                    Right.DEVICES_READ,
                    Right.APPROVALS_READ,
                    Right.SERIALS_READ,
                    Right.FLEETS_READ,
                    Right.WEBHOOKS_READ,
                    Right.METRICS_READ));
            List<Grant> grants = new ArrayList<>(Collections.nCopies(19, reading));
            grants.add(of(Role.ADMIN));
            Operator made = made(registry, "padded", Optional.empty(), grants.toArray(Grant[]::new))
                    .operator();
            registry.operators()
                    .change(made.id(), List.of(reading), Optional.empty(), version -> true, first(registry));

            assertThat(registry.audit().list(Optional.empty(), 100))
                    .extracting(AuditEvent::detail)
                    .filteredOn(detail -> detail != null && detail.startsWith("padded"))
                    .hasSize(2)
                    .allSatisfy(detail -> assertThat(detail).contains("operators:write"));
        }
    }

    private static boolean active(Operators operators, String token) {
        return operators.authenticate(token).filter(Operator::active).isPresent();
    }

    @Test
    void grantsAreForFleetsAndNobodyGivesMoreThanTheyHave() {
        assertGrants(test);
    }

    @Test
    void grantsAreForFleetsAndNobodyGivesMoreThanTheyHaveOnMariaDb() {
        assertGrants(TestRegistry.freshOnMariaDb());
    }

    @Test
    void tokensAreReplacedAndEnd() {
        TestClock clock = new TestClock();
        assertTokensAreReplaced(test.with(clock), clock);
    }

    @Test
    void tokensAreReplacedAndEndOnMariaDb() {
        TestClock clock = new TestClock();
        assertTokensAreReplaced(TestRegistry.freshOnMariaDb().with(clock), clock);
    }

    @Test
    void operatorThatAnEarlierVersionWroteKeepsItsRights() {
        try (TestNode registry = test.start()) {
            Operators.Created made = made(registry, "old", Right.SERIALS_WRITE);
            registry.part(Database.class)
                    .jdbc(Sql.of("UPDATE operator SET grants = NULL WHERE name = 'old'")
                            .update());

            Operator old = registry.operators().get(made.operator().id()).orElseThrow();

            // There it was the right to write lots too.
            assertThat(old.rights()).isEqualTo(EnumSet.of(Right.SERIALS_WRITE, Right.LOTS_WRITE));
        }
    }

    @Test
    void operatorThatAFileAsksForIsMadeOnce() throws IOException {
        test.start().close();
        Files.writeString(request(), " alice\n");

        Path file;
        String token;
        try (TestNode registry = test.start()) {
            file = registry.requestedOperatorToken().orElseThrow();
            token = Files.readString(file).strip();
            Operator alice = registry.operators().authenticate(token).orElseThrow();

            assertThat(file)
                    .hasFileName("operator-token-alice")
                    .hasParent(test.dataDir().toAbsolutePath());
            assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
            assertThat(alice.name()).isEqualTo("alice");
            assertThat(alice.rights()).isEqualTo(EnumSet.allOf(Right.class));
            assertThat(alice.active()).isTrue();
            assertThat(request()).doesNotExist();
            assertThat(events(registry)).containsOnlyOnce("operator-recovered");
        }
        try (TestNode registry = test.start()) {
            assertThat(registry.requestedOperatorToken()).isEmpty();
            assertThat(events(registry)).containsOnlyOnce("operator-recovered");
            registry.operators()
                    .revoke(registry.operators().find("alice").orElseThrow().id(), "somebody");
        }
        Files.writeString(request(), "alice");
        try (TestNode registry = test.start()) {
            assertThat(Files.readString(file).strip()).isNotEqualTo(token);
            assertThat(registry.operators()
                            .authenticate(Files.readString(file).strip())
                            .orElseThrow()
                            .active())
                    .isTrue();
            assertThat(registry.operators().authenticate(token).orElseThrow().active())
                    .isFalse();
        }
    }

    @Test
    void tokenThatSomebodyPutThereIsNotTheNewOperators() throws IOException {
        test.start().close();
        String foreign = "mo_" + "x".repeat(43);
        Files.writeString(test.dataDir().resolve("operator-token-alice"), foreign);
        Files.writeString(request(), "alice");

        try (TestNode registry = test.start()) {
            assertThat(registry.operators().authenticate(foreign)).isEmpty();
            assertThat(registry.operators().find("alice")).isPresent();
        }
    }

    @Test
    void nameThatIsTakenIsAFaultAndNothingIsMade() throws IOException {
        test.start().close();
        Files.writeString(request(), "first");

        assertThatThrownBy(test::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("new-operator asked for the operator first")
                .hasMessageContaining("taken");

        assertThat(request()).doesNotExist();
        assertThat(test.dataDir().resolve("operator-token-first")).doesNotExist();
        try (TestNode registry = test.start()) {
            assertThat(registry.operators().list(Optional.empty(), 100)).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "../alice", "al ice", "al/ice", "-alice", "älice", "alice\nbob"})
    void fileWithoutANameIsAFault(String text) throws IOException {
        test.start().close();
        Files.writeString(request(), text);

        assertThatThrownBy(test::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("new-operator must hold the name of a new operator");
    }

    @Test
    void whatIsNoFileIsAFault() throws IOException {
        test.start().close();
        Files.createSymbolicLink(request(), test.dataDir().resolve("operator-token"));

        assertThatThrownBy(test::start).hasMessageContaining("new-operator must be a file");
    }
}
