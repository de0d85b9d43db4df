// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.broker.BrokerAccess;
import io.muster.config.MusterConfig;
import io.muster.config.Sources;
import io.muster.credential.AuthenticatedDevice;
import io.muster.credential.ClientAuthenticator;
import io.muster.plugin.NamedBeans;
import io.muster.problem.RegistryException;
import io.muster.registration.Registrar;
import io.muster.registration.RegistrationAttempt;
import io.muster.registration.RegistrationReply;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.token.TokenIssuer;
import io.muster.token.TokenVerifier;
import jakarta.enterprise.inject.Instance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a process fast before it gets requests. The JVM compiles code that runs often, so the first thousands of
 * requests after a start are slow. After a power cut every node has just started. Here devices register, get tokens,
 * log in at a broker and are refused, in a separate registry in memory, which ends with the warm-up. The real registry,
 * its database and its brokers see nothing of it.
 */
final class WarmUp {

    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    private static final String SECRET = "the-listener-secret-of-a-broker-in-memory";
    private static final String VERIFIER = "warm-up";
    private static final String UNKNOWN = "NO-";
    private static final Duration WINDOW = Duration.ofSeconds(1);

    /** How long the compiler may run in a window that counts as steady. */
    private static final Duration IDLE = Duration.ofMillis(150);

    /** The warm-up ends early after so many windows in a row without a tenth of progress and with an idle compiler. */
    private static final int STEADY_WINDOWS = 3;

    private static final double FASTER = 1.1;
    private static final int TOKENS = 4;

    private final Registrar registrar;
    private final ClientAuthenticator authenticator;
    private final TokenIssuer tokenIssuer;
    private final TokenVerifier tokenVerifier;
    private final BrokerAccess brokerAccess;
    private final MusterConfig.Broker broker;
    private final Runnable beside;
    private final AtomicLong rounds = new AtomicLong();
    private final AtomicBoolean over = new AtomicBoolean();

    private WarmUp(Node memory, Runnable beside) {
        this.beside = beside;
        this.registrar = memory.part(Registrar.class);
        this.authenticator = memory.part(ClientAuthenticator.class);
        this.tokenIssuer = memory.part(TokenIssuer.class);
        this.tokenVerifier = memory.part(TokenVerifier.class);
        this.brokerAccess = memory.part(BrokerAccess.class);
        this.broker =
                brokerAccess.broker(SECRET, MusterConfig.BrokerKind.RABBITMQ).orElseThrow();
    }

    /**
     * Warms up, with every processor of the machine. Returns early if it gets no faster, or if the thread is
     * interrupted. A failure ends it, with a line in the log: a cold registry works too.
     *
     * @param beans the beans that registries are made of
     * @param atMost how long; zero for not at all
     * @param clock the time for the registry in memory
     * @param beside runs once for each device, on all of these threads; leaves no trace
     * @return how many devices registered in memory
     */
    static long run(Instance<Object> beans, Duration atMost, Clock clock, Runnable beside) {
        if (atMost.isZero()) {
            return 0;
        }
        LOG.info("Warming up for at most {}, with a registry in memory that logs its own start", atMost);
        long started = System.nanoTime();
        try {
            Path directory = Files.createTempDirectory("muster-warm-up");
            try (Node memory = start(beans, directory, clock)) {
                long rounds = new WarmUp(memory, beside).warm(started + atMost.toNanos());
                LOG.info(
                        "Warm after {} s and {} registrations in memory",
                        Duration.ofNanos(System.nanoTime() - started).toSeconds(),
                        rounds);
                return rounds;
            } finally {
                delete(directory);
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("The warm-up failed, so the first requests are slow: {}", e.toString());
            return 0;
        }
    }

    private static Node start(Instance<Object> beans, Path directory, Clock clock) {
        Map<String, String> settings = Map.of(
                "muster.data-dir", directory.toString(),
                "muster.issuer", "https://warm-up.invalid",
                "muster.database.url", "jdbc:h2:mem:warm-up-" + System.nanoTime(),
                "muster.fleet.default.verifiers", VERIFIER,
                "muster.registration.refused-after", "PT0S",
                "muster.limits.refusals", "1000000",
                "muster.mqtt.brokers", "memory",
                "muster.mqtt.broker.memory.kind", "rabbitmq",
                "muster.mqtt.broker.memory.secret", SECRET);
        NamedBeans verifier = new NamedBeans(
                Map.of(
                        VERIFIER,
                        candidate ->
                                candidate.serial().value().startsWith(UNKNOWN) ? Verdict.unknown() : Verdict.genuine()),
                Map.of());
        return Node.startAnother(
                beans,
                new Surroundings(
                        new Sources(key -> Optional.ofNullable(settings.get(key)), settings.keySet()),
                        verifier,
                        clock,
                        Optional.of(event -> {})));
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException | UncheckedIOException e) {
            LOG.debug("Files of the warm-up stay", e);
        }
    }

    private long warm(long end) {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
            Thread thread = new Thread(this::go, "muster-warm-up-" + i);
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
        long before = 0;
        long compiledBefore = compiling();
        double best = 0;
        int steady = 0;
        while (steady < STEADY_WINDOWS && System.nanoTime() < end && !over.get()) {
            LockSupport.parkNanos(Math.min(WINDOW.toNanos(), end - System.nanoTime()));
            if (Thread.currentThread().isInterrupted()) {
                break;
            }
            long now = rounds.get();
            double rate = now - before;
            long compiled = compiling();
            // The speed varies with the load of the machine. It is worth going on while code is compiled.
            boolean isBusy = compiled - compiledBefore > IDLE.toMillis();
            before = now;
            compiledBefore = compiled;
            steady = rate < best * FASTER && !isBusy ? steady + 1 : 0;
            best = Math.max(best, rate);
        }
        over.set(true);
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return rounds.get();
    }

    /** Returns how many milliseconds the compiler has run; zero if unknown. */
    private static long compiling() {
        CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        return compiler == null || !compiler.isCompilationTimeMonitoringSupported()
                ? 0
                : compiler.getTotalCompilationTime();
    }

    private void go() {
        try {
            while (!over.get()) {
                round(rounds.incrementAndGet());
                beside.run();
            }
        } catch (RuntimeException e) {
            over.set(true);
            LOG.warn("The warm-up ended early, so the first requests are slow: {}", e.toString());
        }
    }

    /** Plays one device, and one that is refused. */
    private void round(long number) {
        String serial = "SN-" + number;
        RegistrationReply reply = registrar.register(
                RegistrationAttempt.of(Candidate.of(new SerialNumber(serial), "default", "192.0.2.1")));
        if (reply instanceof RegistrationReply.Plain plain) {
            String key = plain.receipt().key();
            String secret = plain.receipt().secret();
            for (int i = 0; i < TOKENS; i++) {
                AuthenticatedDevice device =
                        authenticator.authenticate(key, secret).orElseThrow();
                tokenVerifier.verify(tokenIssuer.issue(device));
            }
            Optional<BrokerAccess.Login> login = brokerAccess.logIn(
                    broker, key, secret, Optional.of(plain.receipt().deviceId()));
            authenticator.authenticate("nobody" + login.isPresent(), secret);
        }
        try {
            registrar.register(
                    RegistrationAttempt.of(Candidate.of(new SerialNumber(UNKNOWN + number), "default", "192.0.2.1")));
        } catch (RegistryException refused) {
            // The refusal is expected.
            return;
        }
    }
}
