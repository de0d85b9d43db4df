// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.verification.jwt.Tokens;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A fleet whose verifier hangs costs other fleets neither threads nor connections to the database. */
class IsolationTest {

    /** Threads of the server, and devices of the fleet that all come at once. */
    private static final int THREADS = 64;

    private static final int AT_ONCE = 16;

    @Test
    void registrationInAnotherFleetGoesThroughWhileAVerifierHangsForAllOfItsOwn() throws Exception {
        CountDownLatch hanging = new CountDownLatch(AT_ONCE);
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch turnedAway = new CountDownLatch(THREADS - AT_ONCE);
        AtomicInteger answered = new AtomicInteger();
        // As many threads as the server has. A request that hangs keeps one of them.
        ExecutorService server = Executors.newFixedThreadPool(THREADS);
        try (HttpWire wire = new HttpWire(connection -> {
                    hanging.countDown();
                    release.await();
                });
                TestNode registry = TestRegistry.fresh()
                        // As few connections as possible: if the hanging ones held them, nobody would get one.
                        .with("muster.database.pool-size", "2")
                        .with("muster.verifier.stuck.type", "http")
                        .with("muster.verifier.stuck.url", wire.url("/{serial}"))
                        .with("muster.verifier.stuck.pointer", "/genuine")
                        .with("muster.verifier.stuck.allow-http", "true")
                        .with("muster.verifier.stuck.allow-private", "true")
                        .with("muster.verifier.stuck.timeout", "PT30S")
                        .start()) {
            registry.serialImport()
                    .csv(
                            registry.fleets().find("default").orElseThrow(),
                            new ByteArrayInputStream("serial\nSN-0001\n".getBytes(StandardCharsets.UTF_8)),
                            "test");
            registry.fleets()
                    .put(
                            "stuck",
                            "{\"verifiers\":[\"stuck\"],\"timeBudget\":\"PT1M\"}".getBytes(StandardCharsets.UTF_8),
                            there -> true,
                            "test");
            List<Future<ProblemType>> answers = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                SerialNumber serial = new SerialNumber("SN-" + (2000 + i));
                answers.add(server.submit(() -> {
                    ProblemType problem = problem(registry, Candidate.of(serial, "stuck", Candidates.ORIGIN));
                    answered.incrementAndGet();
                    turnedAway.countDown();
                    return problem;
                }));
            }
            assertThat(hanging.await(30, TimeUnit.SECONDS))
                    .as("%s hang", AT_ONCE)
                    .isTrue();
            assertThat(turnedAway.await(30, TimeUnit.SECONDS))
                    .as("all others have their answer")
                    .isTrue();

            RegistrationReceipt receipt = server.submit(
                            () -> registry.registrar().register(Candidates.withSerial("SN-0001")))
                    .get(30, TimeUnit.SECONDS);

            assertThat(receipt.fleet()).isEqualTo("default");
            assertThat(answered).as("the others still hang").hasValue(THREADS - AT_ONCE);

            release.countDown();
            for (Future<ProblemType> answer : answers) {
                assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE);
            }
        } finally {
            release.countDown();
            server.shutdownNow();
        }
    }

    private static Candidate offering(String serial, String kid) {
        String token = Tokens.sign("ES256", Tokens.header("ES256", kid), Tokens.with(Tokens.claims(), "sub", serial));
        return new Candidate(
                new SerialNumber(serial), "keys", Optional.empty(), Map.of("jwt", token), List.of(), Candidates.ORIGIN);
    }

    private static long threads(String prefix) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(prefix))
                .count();
    }

    @Test
    void tokensThatNameStrangeKeysHoldNobodyElseWhileTheAddressOfTheKeysHangs() throws Exception {
        int strange = 300;
        int mayWait = AT_ONCE / 2;
        CountDownLatch fetching = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch turnedAway = new CountDownLatch(strange - mayWait);
        AtomicInteger answered = new AtomicInteger();
        ExecutorService server = Executors.newFixedThreadPool(THREADS);
        TestClock clock = new TestClock();
        try (HttpWire wire = new HttpWire(HttpWire.says(200, "application/json", Tokens.jwks()));
                TestNode registry = TestRegistry.fresh()
                        .with(clock)
                        .with("muster.database.pool-size", "2")
                        .with("muster.verifier.factory.type", "jwt")
                        .with("muster.verifier.factory.issuer", Tokens.ISSUER)
                        .with("muster.verifier.factory.jwks-url", wire.url("/jwks.json"))
                        .with("muster.verifier.factory.allow-http", "true")
                        .with("muster.verifier.factory.allow-private", "true")
                        .with("muster.verifier.factory.timeout", "PT30S")
                        .start()) {
            registry.serialImport()
                    .csv(
                            registry.fleets().find("default").orElseThrow(),
                            new ByteArrayInputStream("serial\nSN-0001\n".getBytes(StandardCharsets.UTF_8)),
                            "test");
            registry.fleets()
                    .put(
                            "keys",
                            "{\"verifiers\":[\"factory\"],\"timeBudget\":\"PT1M\"}".getBytes(StandardCharsets.UTF_8),
                            version -> true,
                            "test");
            registry.registrar().register(offering("SN-1000", "ec"));
            wire.nowAnswers(connection -> {
                fetching.countDown();
                release.await();
            });
            clock.pass(Duration.ofSeconds(10));

            List<Future<ProblemType>> answers = new ArrayList<>();
            for (int i = 0; i < strange; i++) {
                Candidate candidate = offering("SN-" + (2000 + i), "strange-" + i);
                answers.add(server.submit(() -> {
                    ProblemType problem = problem(registry, candidate);
                    answered.incrementAndGet();
                    turnedAway.countDown();
                    return problem;
                }));
            }
            assertThat(fetching.await(30, TimeUnit.SECONDS))
                    .as("keys are fetched")
                    .isTrue();
            assertThat(turnedAway.await(30, TimeUnit.SECONDS))
                    .as("all but %s have their answer", mayWait)
                    .isTrue();

            RegistrationReceipt other = server.submit(
                            () -> registry.registrar().register(Candidates.withSerial("SN-0001")))
                    .get(30, TimeUnit.SECONDS);
            List<String> known = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Candidate candidate = offering("SN-" + (3000 + i), "ec");
                known.add(server.submit(() -> registry.registrar().register(candidate))
                        .get(30, TimeUnit.SECONDS)
                        .fleet());
            }

            assertThat(other.fleet()).isEqualTo("default");
            assertThat(known).hasSize(20).containsOnly("keys");
            assertThat(answered).as("the others still wait").hasValue(strange - mayWait);
            // A thread whose question has ended releases its room before it is free itself.
            assertThat(threads("muster-verifier-factory-")).isLessThan(2 * AT_ONCE);
            assertThat(threads("muster-keys-factory")).isEqualTo(1);
            assertThat(wire.questions()).as("one fetch for all").hasSize(2);

            release.countDown();
            for (Future<ProblemType> answer : answers) {
                assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE);
            }
        } finally {
            release.countDown();
            server.shutdownNow();
        }
    }

    private static ProblemType problem(TestNode registry, Candidate candidate) {
        try {
            registry.registrar().register(candidate);
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nobody verified it");
    }
}
