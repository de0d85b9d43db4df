// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.json.Json;
import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.token.SigningKeys.Entry;
import io.muster.token.SigningKeys.State;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The promises about signing keys on every database. */
interface SigningKeysContract {

    /** The shortest that can be configured. */
    Duration ROTATION = Duration.ofMinutes(10);

    Duration AHEAD = Duration.ofSeconds(362);
    Duration LIFETIME = Duration.ofMinutes(15);
    Duration SKEW = Duration.ofSeconds(60);
    Duration MAX_AGE = Duration.ofMinutes(5);

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    static TestRegistry fast(TestRegistry test) {
        return test.with("muster.signing-keys.rotation", ROTATION.toString())
                .with("muster.signing-keys.publish-ahead", AHEAD.toString())
                .with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine());
    }

    /** A device that gets tokens. */
    record Client(RegistrationReceipt receipt) {

        static Client register(TestNode registry) {
            return new Client(registry.registrar().register(Candidates.withSerial("SN-0001")));
        }

        String token(TestNode registry) {
            return registry.tokenIssuer()
                    .issue(registry.authenticator()
                            .authenticate(receipt.key(), receipt.secret())
                            .orElseThrow());
        }
    }

    private static String member(String token, String name) {
        byte[] header = Base64.getUrlDecoder().decode(token.substring(0, token.indexOf('.')));
        String text = new String(header, StandardCharsets.UTF_8);
        int from = text.indexOf("\"" + name + "\":\"") + name.length() + 4;
        return text.substring(from, text.indexOf('"', from));
    }

    private static Entry only(TestNode registry, State state) {
        return registry.signingKeys().list().stream()
                .filter(key -> key.state() == state)
                .findFirst()
                .orElseThrow();
    }

    private static List<State> states(TestNode registry) {
        return registry.signingKeys().list().stream().map(Entry::state).toList();
    }

    private static void within2Seconds(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeLimit.of(Duration.ofSeconds(2)).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
        }
    }

    private static List<String> events(TestNode registry, String type) {
        return registry.audit().list(Optional.empty(), 100).stream()
                .filter(event -> event.type().equals(type))
                .map(event -> event.who() + ": " + event.detail().replaceFirst("^\\S+: ", ""))
                .toList();
    }

    /** Lets time pass in small steps, and tends the keys after each, as the background does. */
    private static void pass(VirtualClock clock, Duration time, TestNode... nodes) {
        Duration step = SigningKeys.INTERVAL;
        for (Duration passed = Duration.ZERO; passed.compareTo(time) < 0; passed = passed.plus(step)) {
            clock.pass(step);
            for (TestNode node : nodes) {
                node.signingKeys().tend();
            }
        }
    }

    @Test
    default void keyIsPublishedAheadThenSignsThenRetiresThenIsGone() {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        try (TestNode registry = fast(fresh()).with(clock).start()) {
            Entry first = only(registry, State.SIGNING);
            assertThat(first.notBefore()).isEqualTo(TestRegistry.NOW);
            assertThat(first.notAfter()).isEmpty();
            assertThat(states(registry)).containsExactly(State.SIGNING);

            pass(clock, ROTATION.minus(AHEAD).plusSeconds(2), registry);

            Entry next = only(registry, State.NEXT);
            assertThat(next.notBefore())
                    .isBetween(
                            next.createdAt().plus(AHEAD),
                            TestRegistry.NOW.plus(ROTATION).plusSeconds(2));
            assertThat(next.createdAt()).isEqualTo(clock.instant());
            assertThat(registry.signingKeys().current().kid()).isEqualTo(first.kid());

            pass(clock, AHEAD.plusSeconds(8), registry);

            assertThat(registry.signingKeys().current().kid()).isEqualTo(next.kid());
            assertThat(registry.signingKeys().find(first.kid()).orElseThrow().canSign())
                    .isTrue();
            Entry retiring = only(registry, State.RETIRING);
            assertThat(retiring.notAfter()).contains(next.notBefore());
            Instant end = next.notBefore().plus(SKEW).plus(LIFETIME).plus(MAX_AGE);
            assertThat(retiring.publishedUntil()).contains(end);

            pass(clock, SKEW, registry);

            assertThat(registry.signingKeys().find(first.kid()).orElseThrow().canSign())
                    .isFalse();

            pass(clock, Duration.between(clock.instant(), end).minusSeconds(20), registry);
            clock.pass(Duration.between(clock.instant(), end).minusMillis(1));
            registry.signingKeys().tend();
            assertThat(registry.signingKeys().find(first.kid())).isPresent();
            clock.pass(Duration.ofMillis(1));
            registry.signingKeys().tend();
            assertThat(registry.signingKeys().find(first.kid())).isEmpty();
            assertThat(events(registry, "signing-key-created"))
                    .contains("registry: by schedule", "registry: the first");
        }
    }

    @Test
    default void nodesWhoseClocksDifferByAMinuteAcceptEachOthersTokensOverSeveralRotationsAndARestart() {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh());
        TestNode fast = test.with(clock.ahead(Duration.ofSeconds(30))).start();
        TestNode slow = test.with(clock.behind(Duration.ofSeconds(30))).start();
        try {
            Client client = Client.register(fast);
            List<String> signers = new ArrayList<>();
            for (int step = 0; step < 200; step++) {
                pass(clock, Duration.ofSeconds(20), step % 2 == 0 ? fast : slow);
                String ofFast = client.token(fast);
                String ofSlow = client.token(slow);
                signers.add(member(ofFast, "kid"));
                assertThat(slow.tokenVerifier().verify(ofFast))
                        .as("step " + step)
                        .isPresent();
                assertThat(fast.tokenVerifier().verify(ofSlow))
                        .as("step " + step)
                        .isPresent();
                if (step == 100) {
                    slow.close();
                    slow = test.start();
                    assertThat(slow.tokenVerifier().verify(ofFast)).isPresent();
                }
            }
            assertThat(signers.stream().distinct()).hasSizeGreaterThanOrEqualTo(7);
        } finally {
            fast.close();
            slow.close();
        }
    }

    @Test
    default void nodesThatRaceMakeOneNextKey() throws Exception {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh()).with(clock);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            for (int round = 1; round <= 5; round++) {
                clock.pass(ROTATION);
                List<Callable<Void>> racers = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    TestNode node = i % 2 == 0 ? one : two;
                    boolean asked = i > 5;
                    racers.add(() -> {
                        if (asked) {
                            node.signingKeys().rotate(Optional.empty(), "test");
                        } else {
                            node.signingKeys().tend();
                        }
                        return null;
                    });
                }
                for (Future<Void> racer : threads.invokeAll(racers)) {
                    racer.get();
                }

                clock.pass(Duration.ofSeconds(2));
                assertThat(states(one)).filteredOn(State.NEXT::equals).hasSize(1);
                assertThat(two.signingKeys().publicKeys())
                        .isEqualTo(one.signingKeys().publicKeys());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Tag("timing")
    @Test
    default void rotationOnRequestPublishesTheNextKeyOnce() {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh()).with(clock);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            String before = only(one, State.SIGNING).kid();

            one.signingKeys().rotate(Optional.of("practice"), "test");
            one.signingKeys().rotate(Optional.of("again"), "test");

            Entry next = only(one, State.NEXT);
            assertThat(next.notBefore()).isEqualTo(TestRegistry.NOW.plus(AHEAD));
            assertThat(states(one)).containsExactly(State.SIGNING, State.NEXT);
            assertThat(events(one, "signing-key-created"))
                    .containsExactlyInAnyOrder("test: practice", "registry: the first");
            within2Seconds(() -> two.signingKeys().find(next.kid()).isPresent());
            assertThat(two.signingKeys().current().kid()).isEqualTo(before);

            clock.pass(AHEAD);

            assertThat(one.signingKeys().current().kid()).isEqualTo(next.kid());
            assertThat(two.signingKeys().current().kid()).isEqualTo(next.kid());
        }
    }

    @Tag("timing")
    @Test
    default void emergencyEndsEveryOtherKeyAtOnceAndElsewhereWithinTwoSeconds() {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh()).with(clock);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            Client client = Client.register(one);
            String token = client.token(one);
            one.signingKeys().rotate(Optional.empty(), "test");
            within2Seconds(() -> states(two).contains(State.NEXT));
            // Now both remember the token as good.
            assertThat(one.tokenVerifier().verify(token)).isPresent();
            assertThat(two.tokenVerifier().verify(token)).isPresent();

            one.signingKeys().replaceAll(Optional.of("stolen disk"), "test");

            assertThat(one.tokenVerifier().verify(token)).isEmpty();
            assertThat(states(one)).containsExactly(State.SIGNING);
            assertThat(Json.text(one.signingKeys().publicKeys())).doesNotContain(member(token, "kid"));
            within2Seconds(() -> two.tokenVerifier().verify(token).isEmpty());
            assertThat(two.signingKeys().publicKeys())
                    .isEqualTo(one.signingKeys().publicKeys());
            assertThat(events(one, "signing-keys-replaced")).containsExactly("test: stolen disk");
            String fresh = client.token(two);
            assertThat(member(fresh, "kid")).isEqualTo(only(one, State.SIGNING).kid());
            assertThat(one.tokenVerifier().verify(fresh)).isPresent();
        }
    }

    @Tag("timing")
    @Test
    default void keyOfAnEmergencySignsOnANodeWhoseClockIsBehind() {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh());
        try (TestNode fast = test.with(clock).start();
                TestNode slow = test.with(clock.behind(SKEW)).start()) {
            Client client = Client.register(fast);

            fast.signingKeys().replaceAll(Optional.empty(), "test");

            String kid = only(fast, State.SIGNING).kid();
            within2Seconds(() -> member(client.token(slow), "kid").equals(kid));
            assertThat(states(slow)).containsExactly(State.SIGNING);
        }
    }

    @Test
    default void emergenciesOnTwoNodesAtOnceLeaveOneKey() throws Exception {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh()).with(clock);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            for (int round = 1; round <= 5; round++) {
                clock.pass(ROTATION);
                String before = only(one, State.SIGNING).kid();
                List<Callable<Void>> racers = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    TestNode node = i % 2 == 0 ? one : two;
                    boolean emergency = i < 4;
                    racers.add(() -> {
                        if (emergency) {
                            node.signingKeys().replaceAll(Optional.empty(), "test");
                        } else {
                            node.signingKeys().tend();
                        }
                        return null;
                    });
                }
                for (Future<Void> racer : threads.invokeAll(racers)) {
                    racer.get();
                }

                clock.pass(Duration.ofSeconds(2));
                assertThat(states(one)).containsExactly(State.SIGNING);
                assertThat(one.signingKeys().find(before)).isEmpty();
                assertThat(two.signingKeys().publicKeys())
                        .isEqualTo(one.signingKeys().publicKeys());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void anotherAlgorithmSignsAfterItWasPublishedBesideTheOld() {
        VirtualClock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh()).with(clock);
        Client client;
        String old;
        try (TestNode registry = test.start()) {
            client = Client.register(registry);
            old = client.token(registry);
            assertThat(member(old, "alg")).isEqualTo("ES256");
        }
        test.with("muster.token.algorithm", "eddsa");
        try (TestNode one = test.start();
                TestNode two = test.start()) {
            assertThat(one.signingKeys().list()).extracting(Entry::algorithm).containsExactly("ES256", "EdDSA");
            assertThat(Json.text(one.signingKeys().publicKeys()))
                    .contains("\"EC\"")
                    .contains("\"OKP\"");
            assertThat(member(client.token(one), "alg")).isEqualTo("ES256");

            clock.pass(AHEAD);

            String token = client.token(one);
            assertThat(member(token, "alg")).isEqualTo("EdDSA");
            assertThat(two.tokenVerifier().verify(token)).isPresent();
            assertThat(two.tokenVerifier().verify(old)).isPresent();
        }
    }

    @Tag("timing")
    @Test
    default void keyIsKeptForTheLongestLifeOfATokenThatAnyNodeIssues() {
        Clock clock = new VirtualClock(TestRegistry.NOW);
        TestRegistry test = fast(fresh()).with(clock);
        try (TestNode one = test.start();
                TestNode two = test.with("muster.token.lifetime", "PT8H").start()) {
            two.signingKeys().rotate(Optional.empty(), "test");

            Entry signing = only(two, State.SIGNING);
            assertThat(signing.publishedUntil().orElseThrow())
                    .isEqualTo(signing.notAfter()
                            .orElseThrow()
                            .plus(Duration.ofHours(8))
                            .plus(SKEW)
                            .plus(MAX_AGE));
            within2Seconds(
                    () -> one.signingKeys().list().equals(two.signingKeys().list()));
        }
    }
}
