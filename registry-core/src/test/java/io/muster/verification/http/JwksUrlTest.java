// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static io.muster.verification.http.HttpWire.says;
import static io.muster.verification.jwt.JwtFixture.offering;
import static io.muster.verification.jwt.Tokens.claims;
import static io.muster.verification.jwt.Tokens.es256;
import static io.muster.verification.jwt.Tokens.header;
import static io.muster.verification.jwt.Tokens.sign;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.sun.net.httpserver.HttpServer;
import io.muster.TestClock;
import io.muster.json.Json;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.jwt.JwtFixture;
import io.muster.verification.jwt.JwtVerifier;
import io.muster.verification.jwt.Tokens;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The verifier {@code jwt} with keys that an address publishes. */
@Execution(ExecutionMode.CONCURRENT)
class JwksUrlTest implements SerialVerifierContract {

    private static final String JSON = "application/json";
    private static final Duration ROOM = Duration.ofSeconds(3);

    private final TestClock clock = new TestClock();
    private final List<JwtVerifier> opened = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;
    private HttpWire quiet;
    private JwtVerifier healthy;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setExecutor(threads);
        server.createContext("/jwks.json", exchange -> {
            try (exchange) {
                byte[] reply = Tokens.jwks().getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/jwk-set+json");
                exchange.sendResponseHeaders(200, reply.length);
                exchange.getResponseBody().write(reply);
            }
        });
        server.start();
        quiet = new HttpWire(HttpWire.Connection::keepQuiet);
        healthy = verifier("http://127.0.0.1:" + server.getAddress().getPort() + "/jwks.json");
    }

    @AfterEach
    void stop() throws IOException {
        opened.forEach(JwtVerifier::close);
        server.stop(0);
        quiet.close();
        threads.shutdownNow();
    }

    private JwtVerifier verifier(String url, String... more) {
        List<String> settings =
                new ArrayList<>(List.of("jwks-url", url, "allow-http", "true", "allow-private", "true"));
        settings.addAll(List.of(more));
        JwtVerifier verifier = JwtFixture.verifier(clock, settings.toArray(String[]::new));
        opened.add(verifier);
        return verifier;
    }

    @Override
    public SerialVerifier verifier() {
        return healthy;
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(offering(es256(claims())));
    }

    @Override
    public Candidate notGenuine() {
        return offering("SN-0002", es256(claims()));
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() throws IOException {
        return Optional.of(verifier("http://127.0.0.1:" + HttpWire.deadPort() + "/"));
    }

    @Override
    public Optional<SerialVerifier> withSlowBackEnd() {
        return Optional.of(verifier(quiet.url("/")));
    }

    private static VerificationUnavailableException unavailable(JwtVerifier verifier) {
        VerificationUnavailableException thrown = catchThrowableOfType(
                VerificationUnavailableException.class, () -> verifier.verify(offering(es256(claims()))));
        assertThat(thrown).as("no key can be had").isNotNull();
        return thrown;
    }

    static Stream<Arguments> sick() {
        Map<String, HttpWire.Script> modes = HttpSickModes.whatever(Tokens.jwks());
        modes.put("status 404", says(404, JSON, Tokens.jwks()));
        for (String body : List.of(
                "{}",
                "[]",
                "null",
                "{\"keys\":[]}",
                "{\"keys\":{}}",
                "{\"keys\":[{\"kty\":\"EC\"}]}",
                "{\"keys\":[],\"keys\":[]}",
                Tokens.jwks().replace("\"kty\":\"EC\"", "\"d\":\"AA\",\"kty\":\"EC\""),
                Tokens.jwks().replace("\"rsa\"", "\"ec\""),
                "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" + Tokens.encode(new byte[32]) + "\"}]}")) {
            modes.put(
                    "the body " + body.substring(0, Math.min(body.length(), 30)) + body.length(),
                    says(200, JSON, body));
        }
        return modes.entrySet().stream().map(mode -> Arguments.of(mode.getKey(), mode.getValue()));
    }

    @Tag("timing")
    @ParameterizedTest(name = "{0}")
    @MethodSource("sick")
    void sickSourceIsUnavailableInTimeAndTellsNothing(String mode, HttpWire.Script script) throws Exception {
        try (HttpWire wire = new HttpWire(script)) {
            JwtVerifier verifier = verifier(wire.url("/secret-path"), "timeout", "PT0.5S");

            VerificationUnavailableException thrown = assertTimeoutPreemptively(
                    TimeLimit.of(Duration.ofMillis(500).plus(ROOM)), () -> unavailable(verifier));

            assertThat(thrown.getMessage())
                    .startsWith("verifier fab: ")
                    .doesNotContain("secret-path")
                    .doesNotContain(Tokens.SERIAL);
            assertThat(wire.allEnded()).as("the verifier hangs up").isTrue();
            assertThat(wire.written()).isLessThan(32 * 1024 * 1024);
            int asked = wire.questions().size();
            unavailable(verifier);
            assertThat(wire.questions()).as("it is not asked again at once").hasSize(asked);
        }
    }

    @Test
    void nothingIsFetchedBeforeATokenNeedsAKey() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, Tokens.jwks()))) {
            JwtVerifier verifier = verifier(wire.url("/"));

            verifier.verify(offering("nonsense"));
            verifier.verify(offering(sign("ES256", header("none", "ec"), claims())));
            verifier.verify(
                    offering(sign("ES256", Tokens.with(header("ES256", "ec"), "jku", wire.url("/evil")), claims())));

            assertThat(wire.connections()).isZero();
        }
    }

    @Test
    void keysAreFetchedOnceAndAgainWhenTheyAreOld() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, Tokens.jwks()))) {
            JwtVerifier verifier = verifier(wire.url("/"));
            for (int i = 0; i < 3; i++) {
                assertThat(verifier.verify(offering(es256(claims())))).isEqualTo(Verdict.genuine());
            }
            assertThat(wire.questions()).hasSize(1);

            clock.pass(Duration.ofMinutes(59));
            verifier.verify(offering(es256(claims())));
            assertThat(wire.questions()).hasSize(1);

            clock.pass(Duration.ofMinutes(1));
            assertThat(verifier.verify(offering(es256(claims())))).isEqualTo(Verdict.genuine());
            assertThat(wire.questions()).hasSize(2);
        }
    }

    @Test
    void unknownKidIsLookedForOnceAnInterval() throws Exception {
        String old = Json.text(Map.of("keys", List.of(Tokens.jwk(Tokens.RSA.getPublic(), "rsa"))));
        try (HttpWire wire = new HttpWire(says(200, JSON, old))) {
            JwtVerifier verifier = verifier(wire.url("/"));
            verifier.verify(offering(sign("RS256", header("RS256", "rsa"), claims())));
            wire.nowAnswers(says(200, JSON, Tokens.jwks()));

            for (int i = 0; i < 20; i++) {
                assertThat(verifier.verify(offering(es256(claims())))).isInstanceOf(Verdict.Refused.class);
            }
            assertThat(wire.questions()).hasSize(1);

            clock.pass(Duration.ofSeconds(10));
            assertThat(verifier.verify(offering(es256(claims())))).isEqualTo(Verdict.genuine());
            assertThat(wire.questions()).hasSize(2);
        }
    }

    @Test
    void lastGoodKeysHoldForABoundedTimeWhileTheSourceIsDown() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, Tokens.jwks()))) {
            JwtVerifier verifier = verifier(wire.url("/"), "jwks-max-stale", "PT20M", "require-expiry", "false");
            Candidate device = offering(es256(Tokens.without(claims(), "exp")));
            assertThat(verifier.verify(device)).isEqualTo(Verdict.genuine());
            wire.nowAnswers(says(500, JSON, "{}"));

            clock.pass(Duration.ofMinutes(79));
            assertThat(verifier.verify(device)).isEqualTo(Verdict.genuine());
            // A kid that is not in them may be new.
            String renewed = sign("ES256", header("ES256", "new"), claims());
            assertThatThrownBy(() -> verifier.verify(offering(renewed)))
                    .isInstanceOf(VerificationUnavailableException.class);

            clock.pass(Duration.ofMinutes(1));
            assertThatThrownBy(() -> verifier.verify(device)).isInstanceOf(VerificationUnavailableException.class);

            wire.nowAnswers(says(200, JSON, Tokens.jwks()));
            clock.pass(Duration.ofSeconds(10));
            assertThat(verifier.verify(device)).isEqualTo(Verdict.genuine());
        }
    }

    @Test
    void keyThatIsGoneIsGoneWithTheNextFetch() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, Tokens.jwks()))) {
            JwtVerifier verifier = verifier(wire.url("/"), "jwks-max-age", "PT1M");
            assertThat(verifier.verify(offering(es256(claims())))).isEqualTo(Verdict.genuine());
            wire.nowAnswers(
                    says(200, JSON, Json.text(Map.of("keys", List.of(Tokens.jwk(Tokens.RSA.getPublic(), "rsa"))))));

            clock.pass(Duration.ofMinutes(1));

            assertThat(verifier.verify(offering(es256(claims())))).isInstanceOf(Verdict.Refused.class);
        }
    }

    @Test
    void keysForOtherPurposesAreLeftOut() throws Exception {
        String mixed = Tokens.jwks()
                .replace(
                        "{\"keys\":[",
                        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\"},"
                                + "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AA\",\"e\":\"AQAB\"},{\"kty\":\"new\"},");
        try (HttpWire wire = new HttpWire(says(200, JSON, mixed))) {
            assertThat(verifier(wire.url("/")).verify(offering(es256(claims()))))
                    .isEqualTo(Verdict.genuine());
        }
    }

    @Test
    void manyAtOnceFetchOnce() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, Tokens.jwks()))) {
            JwtVerifier verifier = verifier(wire.url("/"));
            List<Callable<Verdict>> all = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                all.add(() -> verifier.verify(offering(es256(claims()))));
            }
            for (Future<Verdict> verdict : threads.invokeAll(all)) {
                assertThat(verdict.get()).isEqualTo(Verdict.genuine());
            }
            assertThat(wire.questions()).hasSize(1);
        }
    }

    @Tag("timing")
    @Test
    void manyAtASourceThatHangsWaitForOneFetchOnly() throws Exception {
        JwtVerifier verifier = verifier(quiet.url("/"), "timeout", "PT1S");
        List<Callable<VerificationUnavailableException>> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            all.add(() -> unavailable(verifier));
        }

        List<Future<VerificationUnavailableException>> ended =
                assertTimeoutPreemptively(TimeLimit.of(Duration.ofSeconds(1).plus(ROOM)), () -> threads.invokeAll(all));

        assertThat(ended).hasSize(16);
        assertThat(quiet.questions()).hasSize(1);
    }

    @Test
    void whoGivesUpWaitingDoesNotEndTheFetchThatOthersWaitFor() throws Exception {
        CountDownLatch fetching = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        try (HttpWire wire = new HttpWire(connection -> {
            fetching.countDown();
            release.await();
            says(200, JSON, Tokens.jwks()).answer(connection);
        })) {
            JwtVerifier verifier = verifier(wire.url("/"), "timeout", "PT30S");
            Future<VerificationUnavailableException> hasty = threads.submit(() -> {
                Thread.currentThread().interrupt();
                return unavailable(verifier);
            });
            assertThat(hasty.get()).hasMessageContaining("interrupted");
            assertThat(fetching.await(30, TimeUnit.SECONDS)).isTrue();
            Future<Verdict> patient = threads.submit(() -> verifier.verify(offering(es256(claims()))));

            release.countDown();

            assertThat(patient.get()).isEqualTo(Verdict.genuine());
            assertThat(wire.questions()).hasSize(1);
        }
    }

    @Test
    void addressFollowsTheRulesOfTheHttpVerifier() {
        assertThatThrownBy(() -> JwtFixture.verifier(clock, "jwks-url", "http://keys.example/jwks"))
                .hasMessageContaining("jwks-url: must be https");
        assertThatThrownBy(() -> JwtFixture.verifier(clock, "jwks-url", "https://169.254.169.254/jwks"))
                .hasMessageContaining("jwks-url: is not an address of the public Internet");
        assertThatThrownBy(() -> JwtFixture.verifier(clock, "jwks-url", "https://keys.example/{serial}"))
                .hasMessageContaining("jwks-url: must not contain placeholders");
        assertThatThrownBy(() -> JwtFixture.verifier(clock, "jwks-url", "file:///etc/passwd"))
                .hasMessageContaining("jwks-url: is not an absolute https address");
    }

    @Test
    void nameThatLeadsToAPrivateAddressIsNotConnectedTo() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, Tokens.jwks()))) {
            JwtVerifier verifier = JwtFixture.verifier(
                    clock, "jwks-url", "http://localhost:" + wire.port() + "/", "allow-http", "true");
            opened.add(verifier);

            assertThat(unavailable(verifier)).hasMessageContaining("not an address of the public Internet");
            assertThat(wire.connections()).isZero();
        }
    }
}
