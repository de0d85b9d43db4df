package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Registry;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
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
        // As many threads as the server has. Whoever hangs keeps one of them.
        ExecutorService server = Executors.newFixedThreadPool(THREADS);
        try (HttpWire wire = new HttpWire(connection -> {
                    hanging.countDown();
                    release.await();
                });
                Registry registry = TestRegistry.fresh()
                        // As few connections as there may be: nobody would get one if those who hang had them.
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

    private static ProblemType problem(Registry registry, Candidate candidate) {
        try {
            registry.registrar().register(candidate);
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nobody verified it");
    }
}
