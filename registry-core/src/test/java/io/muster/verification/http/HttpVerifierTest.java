// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static io.muster.verification.http.HttpKind.SECRET;
import static io.muster.verification.http.HttpKind.SERIAL;
import static io.muster.verification.http.HttpWire.says;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.policy.BoundedVerifier;
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
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Both forms against servers that are down, slow, huge, wrong or lying. */
@Execution(ExecutionMode.CONCURRENT)
class HttpVerifierTest {

    private static final String JSON = "application/json";

    /** Room for a machine that has other things to do. */
    private static final Duration ROOM = Duration.ofSeconds(3);

    static Stream<Arguments> unavailable() {
        return modes(HttpSickModes::unavailable);
    }

    static Stream<Arguments> almostGenuine() {
        return modes(HttpSickModes::almostGenuine);
    }

    private static Stream<Arguments> modes(Function<HttpKind, Map<String, HttpWire.Script>> modes) {
        return Stream.of(HttpKind.values()).flatMap(kind -> modes.apply(kind).entrySet().stream()
                .map(mode -> Arguments.of(kind, mode.getKey(), mode.getValue())));
    }

    @ParameterizedTest
    @EnumSource
    void healthyServerIsBelieved(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, kind.genuine()));
                HttpVerifier verifier = kind.verifier(wire)) {
            assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.genuine());
        }
    }

    @Tag("timing")
    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("unavailable")
    void sickServerIsUnavailableInTimeAndTellsNothing(HttpKind kind, String mode, HttpWire.Script script)
            throws Exception {
        try (HttpWire wire = new HttpWire(script);
                HttpVerifier verifier = kind.verifier(wire, "timeout", "PT0.5S")) {
            VerificationUnavailableException thrown = assertTimeoutPreemptively(
                    TimeLimit.of(Duration.ofMillis(500).plus(ROOM)), () -> unavailable(verifier));

            assertThat(thrown.getMessage())
                    .startsWith("verifier acme: ")
                    .doesNotContain(SERIAL)
                    .doesNotContain(SECRET)
                    .doesNotContain("/devices")
                    .doesNotContain("/verify");
            assertThat(thrown.getCause()).isNull();
            assertThat(thrown.getSuppressed()).isEmpty();
            assertThat(wire.allEnded()).as("the verifier hangs up").isTrue();
            assertThat(wire.written()).isLessThan(32 * 1024 * 1024);
            assertThat(wire.questions()).hasSizeBetween(1, 2).noneMatch(asked -> asked.line()
                    .contains("elsewhere"));
        }
    }

    static Stream<Arguments> endless() {
        return modes(kind -> HttpSickModes.endless());
    }

    @Tag("timing")
    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("endless")
    void serverThatNeverComesToTheReplyIsUnavailableInTime(HttpKind kind, String mode, HttpWire.Script script)
            throws Exception {
        try (HttpWire wire = new HttpWire(script);
                HttpVerifier verifier = kind.verifier(wire, "timeout", "PT0.5S")) {
            assertTimeoutPreemptively(TimeLimit.of(Duration.ofMillis(500).plus(ROOM)), () -> unavailable(verifier));

            assertThat(wire.written()).isLessThan(32 * 1024 * 1024);
        }
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("almostGenuine")
    void whatOnlyLooksGenuineIsNot(HttpKind kind, String mode, HttpWire.Script script) throws Exception {
        try (HttpWire wire = new HttpWire(script);
                HttpVerifier verifier = kind.verifier(wire)) {
            if (kind == HttpKind.API) {
                assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.unknown());
            } else {
                unavailable(verifier);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void notFoundIsUnknownOnlyWhereItIsMapped(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(404, JSON, kind.genuine()));
                HttpVerifier verifier = kind.verifier(wire)) {
            if (kind == HttpKind.API) {
                assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.unknown());
            } else {
                assertThat(unavailable(verifier)).hasMessageContaining("status 404 is mapped to no verdict");
            }
        }
    }

    @Tag("timing")
    @ParameterizedTest
    @EnumSource
    void oneByteEveryNowAndThenIsGivenUpOnByDefaultAfterTwoSeconds(HttpKind kind) throws Exception {
        HttpWire.Script trickle = connection -> {
            connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n");
            connection.trickle(" ");
        };
        try (HttpWire wire = new HttpWire(trickle);
                HttpVerifier verifier = kind.verifier(wire)) {
            long begun = System.nanoTime();

            assertThat(unavailable(verifier)).hasMessageEndingWith("did not answer within PT2S");

            assertThat(Duration.ofNanos(System.nanoTime() - begun))
                    .isBetween(
                            Duration.ofSeconds(2),
                            TimeLimit.of(Duration.ofSeconds(2).plus(ROOM)));
        }
    }

    @Tag("timing")
    @ParameterizedTest
    @EnumSource
    void retryHasOnlyTheTimeThatIsLeft(HttpKind kind) throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        HttpWire.Script lateFailure = connection -> {
            assertThat(never.await(900, TimeUnit.MILLISECONDS)).isFalse();
            connection.write(HttpWire.reply(500, "", ""));
        };
        try (HttpWire wire = new HttpWire(lateFailure);
                HttpVerifier verifier = kind.verifier(wire, "timeout", "PT1.5S")) {
            long begun = System.nanoTime();

            assertThat(unavailable(verifier)).hasMessageEndingWith("did not answer within PT1.5S");

            assertThat(Duration.ofNanos(System.nanoTime() - begun))
                    .isBetween(
                            Duration.ofMillis(1500),
                            TimeLimit.of(Duration.ofMillis(1500).plus(ROOM)));
            assertThat(wire.questions()).hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void failureOfTheServerIsForgivenOnceWithTheSameQuestion(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(HttpWire.Connection::reset);
                HttpVerifier verifier = kind.verifier(wire)) {
            wire.nowAnswers(connection -> {
                wire.nowAnswers(says(200, JSON, kind.genuine()));
                connection.write(HttpWire.reply(503, "", ""));
            });

            assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isInstanceOf(Verdict.Genuine.class);

            assertThat(wire.questions()).hasSize(2);
            assertThat(wire.questions().get(1)).isEqualTo(wire.questions().get(0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void secondFailureInARowIsFinal(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(500, JSON, kind.genuine()));
                HttpVerifier verifier = kind.verifier(wire)) {
            unavailable(verifier);

            assertThat(wire.questions()).hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void answerThatIsMappedToNothingIsNotAskedForAgain(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(403, JSON, kind.genuine()));
                HttpVerifier verifier = kind.verifier(wire)) {
            unavailable(verifier);

            assertThat(wire.questions()).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void circuitOpensAfterFailuresAndRecoversWithOneProbe(HttpKind kind) throws Exception {
        CountDownLatch probed = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (HttpWire wire = new HttpWire(says(500, JSON, kind.genuine()));
                HttpVerifier verifier =
                        kind.verifier(wire, "breaker-failures", "2", "breaker-delay", "PT0.3S", "timeout", "PT30S")) {
            unavailable(verifier);
            unavailable(verifier);
            int asked = wire.questions().size();

            assertThat(unavailable(verifier)).hasMessage("verifier acme: circuit open after too many failures");
            assertThat(wire.questions()).hasSize(asked);

            wire.nowAnswers(connection -> {
                probed.countDown();
                release.await();
                connection.write(HttpWire.reply(200, "Content-Type: " + JSON + "\r\n", kind.genuine()));
            });
            Future<Verdict> probe = other.submit(() -> untilAnswered(verifier));
            assertThat(probed.await(10, TimeUnit.SECONDS)).isTrue();

            assertThat(unavailable(verifier)).hasMessageContaining("circuit open");
            assertThat(wire.questions()).hasSize(asked + 1);

            release.countDown();
            assertThat(probe.get(10, TimeUnit.SECONDS)).isInstanceOf(Verdict.Genuine.class);
            assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isInstanceOf(Verdict.Genuine.class);
        } finally {
            release.countDown();
            other.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource
    void oddRepliesToSomeSerialsDoNotOpenTheCircuit(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(400, JSON, kind.genuine()));
                HttpVerifier verifier = kind.verifier(wire, "breaker-failures", "2")) {
            for (int i = 0; i < 10; i++) {
                assertThat(unavailable(verifier)).hasMessageContaining("status 400");
            }

            assertThat(wire.questions()).hasSize(10);
        }
    }

    @ParameterizedTest
    @EnumSource
    void slowServerHoldsNoMoreThreadsThanAllowed(HttpKind kind) throws Exception {
        CountDownLatch arrived = new CountDownLatch(2);
        CountDownLatch release = new CountDownLatch(1);
        ExecutorService others = Executors.newFixedThreadPool(2);
        HttpWire.Script slow = connection -> {
            arrived.countDown();
            release.await();
            connection.write(HttpWire.reply(200, "Content-Type: " + JSON + "\r\n", kind.genuine()));
        };
        try (HttpWire wire = new HttpWire(slow);
                HttpVerifier http = kind.verifier(wire, "timeout", "PT30S");
                BoundedVerifier verifier = new BoundedVerifier("acme", http, 2, Duration.ofMinutes(1))) {
            List<Future<Verdict>> held = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                held.add(others.submit(() -> verifier.verify(Candidates.withSerial(SERIAL))));
            }
            assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();

            assertThat(unavailable(verifier)).hasMessageContaining("too many questions at once");
            assertThat(wire.questions()).hasSize(2);

            release.countDown();
            for (Future<Verdict> verdict : held) {
                assertThat(verdict.get(10, TimeUnit.SECONDS)).isInstanceOf(Verdict.Genuine.class);
            }
            assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isInstanceOf(Verdict.Genuine.class);
        } finally {
            release.countDown();
            others.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource
    void interruptedCallerIsUnavailableAndStaysInterrupted(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(HttpWire.Connection::keepQuiet);
                HttpVerifier verifier = kind.verifier(wire, "timeout", "PT30S")) {
            Thread.currentThread().interrupt();

            VerificationUnavailableException thrown = unavailable(verifier);

            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown).hasMessageContaining("interrupted");
        }
    }

    @ParameterizedTest
    @EnumSource
    void closedVerifierIsUnavailable(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, kind.genuine()))) {
            HttpVerifier verifier = kind.verifier(wire);
            verifier.close();

            unavailable(verifier);

            assertThat(wire.questions()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void nameThatLeadsToAPrivateAddressIsNotEvenConnectedTo(HttpKind kind) throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, kind.genuine()));
                HttpVerifier verifier = HttpKind.verifier(
                        HttpKind.with(kind.settings("http://localhost:" + wire.port()), "allow-private", "false"))) {
            assertThat(unavailable(verifier)).hasMessageContaining("is not an address of the public Internet");

            assertThat(wire.connections()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void nameThatNobodyHasIsUnavailable(HttpKind kind) {
        try (HttpVerifier verifier = HttpKind.verifier(
                HttpKind.with(kind.settings("http://muster.invalid"), "allow-private", "false", "timeout", "PT1S"))) {
            assertThat(unavailable(verifier)).hasMessageContaining("muster.invalid");
        }
    }

    @ParameterizedTest
    @EnumSource
    void exactlyTheLimitIsRead(HttpKind kind) throws Exception {
        String padded = kind.genuine() + " ".repeat(16 * 1024 - kind.genuine().length());
        try (HttpWire wire = new HttpWire(says(200, JSON, padded));
                HttpVerifier verifier = kind.verifier(wire)) {
            assertThat(verifier.verify(Candidates.withSerial(SERIAL))).isInstanceOf(Verdict.Genuine.class);
        }
    }

    @Test
    void verifierIsShownByItsNameAlone() {
        try (HttpVerifier verifier = HttpKind.verifier(HttpKind.CONTRACT.settings("http://127.0.0.1:1"))) {
            assertThat(verifier).hasToString("HttpVerifier[acme]");
        }
    }

    private static Verdict untilAnswered(HttpVerifier verifier) {
        while (!Thread.currentThread().isInterrupted()) {
            Optional<Verdict> verdict = ask(verifier);
            if (verdict.isPresent()) {
                return verdict.get();
            }
            Thread.onSpinWait();
        }
        throw new IllegalStateException("nobody wants to know any more");
    }

    private static Optional<Verdict> ask(HttpVerifier verifier) {
        try {
            return Optional.of(verifier.verify(Candidates.withSerial(SERIAL)));
        } catch (VerificationUnavailableException e) {
            return Optional.empty();
        }
    }

    private static VerificationUnavailableException unavailable(SerialVerifier verifier) {
        VerificationUnavailableException thrown = catchThrowableOfType(
                VerificationUnavailableException.class, () -> verifier.verify(Candidates.withSerial(SERIAL)));
        assertThat(thrown).as("the API gave no usable answer").isNotNull();
        return thrown;
    }
}
