// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.audit.AuditEvent;
import io.muster.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
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
        return registry.operators().create(name, Set.of(right), "somebody").orElseThrow();
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
        assertThat(operators.create("alice", Set.of(Right.INTROSPECT), "somebody"))
                .isEmpty();
        operators.revoke(first.operator().id(), "somebody");
        assertThat(operators.find("alice").orElseThrow().active()).isFalse();

        Operators.Created second = made(registry, "alice", Right.INTROSPECT);

        assertThat(operators.create("alice", Set.of(Right.INTROSPECT), "somebody"))
                .isEmpty();
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
                        .mapToObj(i -> threads.submit(
                                () -> registry.operators().create(name, Set.of(Right.DEVICES_READ), "somebody")))
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

            // This broker is never told.
            assertThat(registry.operators().create("collector", Set.of(Right.DEVICES_READ), "somebody"))
                    .isEmpty();
            made(registry, "reader", Right.MQTT_READ);
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
