// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.ServerKind;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Slow connections cost others nothing. Each has ten seconds. */
@Aside
@Order(8)
@Tag("timing")
@Tag("portable")
class SlowConnectionsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    /** For a machine that is busy. */
    private static final Duration SLACK = Duration.ofSeconds(5);

    private static final Duration SERVED = Duration.ofSeconds(1);
    private static final Duration SERVED_WITH_FEWER_THREADS = Duration.ofSeconds(3);

    private final RegistryUnderTest registry = SharedWorld.embedded();
    private final URI base = registry.base();

    private boolean onMuster() {
        return registry.server().kind() == ServerKind.MICRO;
    }

    @Tag("extended")
    @ParameterizedTest
    @ValueSource(ints = {400, 2000})
    void bodiesThatTrickleKeepNobodyWaitingAndTheirConnectionsAreClosed(int count) throws Exception {
        assumeTrue(onMuster() || count == 400);
        Bystanders bystanders = new Bystanders();
        long logged = Files.size(registry.server().log());
        int each = count / 4;

        try (SlowClients registering = SlowClients.declared(base, each, "/register", JSON);
                SlowClients chunked = SlowClients.chunked(base, each, "/register", JSON);
                SlowClients token = SlowClients.chunked(base, each, "/token", FORM);
                SlowClients operator = SlowClients.declared(base, each, "/api/v1/operators", JSON)) {
            List<SlowClients> all = List.of(registering, chunked, token, operator);
            bystanders.are(() -> all.stream().allMatch(clients -> clients.answered(408) == each));
            for (SlowClients clients : all) {
                // GlassFish answers, and reads on for as long as it keeps idle connections.
                if (!registry.server().kind().isGlassFish()) {
                    within(SLACK, "connections that are closed", () -> clients.open() == 0);
                    assertThat(clients.lived()).allMatch(life -> life.compareTo(PATIENCE.minusSeconds(1)) > 0);
                    assertThat(clients.lived())
                            .allMatch(life -> life.compareTo(TimeLimit.of(PATIENCE.plus(SLACK))) < 0);
                }
            }
        }

        bystanders.areFor(Duration.ofSeconds(2));
        if (onMuster()) {
            assertThat(loggedSince(logged)).doesNotContain("\tat ", "Exception", "WELD-");
        }
    }

    @Tag("extended")
    @Test
    void bodiesOfRequestsThatGetNoFurtherThanAuthenticationKeepNobodyWaiting() {
        Bystanders bystanders = new Bystanders();
        String imports = "/api/v1/fleets/default/serials";

        try (SlowClients importing = SlowClients.chunked(base, 100, imports, "text/csv");
                SlowClients large = SlowClients.declared(base, 100, imports, "text/csv", "Authorization: Bearer x")) {
            bystanders.are(() -> importing.answered(401) == 100 && large.answered(401) == 100);
            if (onMuster()) {
                within(SLACK, "connections that are closed", () -> importing.open() + large.open() == 0);
            }
        }
    }

    @Tag("extended")
    @Test
    void clientsThatLeaveInTheMiddleCostNothing() throws Exception {
        Bystanders bystanders = new Bystanders();
        long logged = Files.size(registry.server().log());

        for (int i = 0; i < 5; i++) {
            SlowClients.declared(base, 200, "/register", JSON).close();
            if (onMuster()) {
                SlowClients.unread(base, 50, getOf("/.well-known/jwks.json")).close();
            }
        }

        bystanders.areFor(Duration.ofSeconds(2));
        if (onMuster()) {
            assertThat(loggedSince(logged)).doesNotContain("\tat ", "Exception");
        }
    }

    @Tag("extended")
    @Test
    void answersThatNobodyReadsKeepNobodyWaitingAndTheirConnectionsAreClosed() {
        // On other servers a thread waits with each of them, for as long as a setting of theirs permits.
        Bystanders bystanders = new Bystanders();

        try (SlowClients unread = SlowClients.unread(base, onMuster() ? 400 : 100, getOf("/nowhere"))) {
            assertThat(unread.open()).isPositive();
            bystanders.areFor(Duration.ofSeconds(10), onMuster() ? SERVED : SERVED_WITH_FEWER_THREADS);
        }
        try (SlowClients unread = SlowClients.unread(base, 20, getOf("/nowhere"))) {
            within(Duration.ofSeconds(60), "connections that are closed", () -> unread.open() == 0);
        }
        bystanders.areFor(Duration.ofSeconds(2));
    }

    @Tag("extended")
    @Test
    void headsThatTrickleKeepNobodyWaitingAndTheirConnectionsAreClosed() {
        Bystanders bystanders = new Bystanders();

        try (SlowClients heads = SlowClients.headers(base, 400, "/register")) {
            if (onMuster()) {
                bystanders.are(() -> heads.answered(408) == 400);
                within(SLACK, "connections that are closed", () -> heads.open() == 0);
            } else {
                // When is a setting of theirs.
                bystanders.areFor(Duration.ofSeconds(5));
            }
        }
    }

    @Test
    void bodyThatComesInPiecesIsRead() throws Exception {
        byte[] body = body("SN-nobody").getBytes(StandardCharsets.UTF_8);
        String head = "POST /register HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nContent-Type: " + JSON + "\r\n";
        for (String framing : List.of("", "Expect: 100-continue\r\n")) {
            try (RawHttp http = new RawHttp(base)) {
                http.write((head + framing + "Content-Length: " + body.length + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                if (!framing.isEmpty()) {
                    assertThat(http.reply(true).status()).isEqualTo(100);
                }
                for (byte one : body) {
                    http.write(new byte[] {one});
                }
                assertProblem(http.reply(false), 401, "registration-refused");
            }
        }
        try (RawHttp http = new RawHttp(base)) {
            http.write((head + "Transfer-Encoding: chunked\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            for (byte one : body) {
                http.write(new byte[] {'1', '\r', '\n', one, '\r', '\n'});
            }
            http.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertProblem(http.reply(false), 401, "registration-refused");
        }
    }

    /** A request that begins in the packet of another has ten seconds of its own. */
    @Tag("extended")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /register HTT",
                "POST /register HTTP/1.1\r\nHost: muster\r\nContent-Length: 60000\r\n\r\n{",
                "POST /register HTTP/1.1\r\nHost: muster\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
            })
    void requestThatBeginsInThePacketOfAnotherHasTenSeconds(String beginning) throws Exception {
        // When is a setting of theirs.
        assumeTrue(onMuster());
        try (RawHttp http = new RawHttp(base)) {
            http.write((new String(getOf("/health/live"), StandardCharsets.US_ASCII) + beginning)
                    .getBytes(StandardCharsets.US_ASCII));
            assertThat(http.reply(false).status()).isEqualTo(200);
            long answered = System.nanoTime();

            assertThat(http.reply(false).status()).isEqualTo(408);
            assertThat(http.rest()).isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - answered))
                    .isBetween(PATIENCE.minusSeconds(1), TimeLimit.of(PATIENCE.plus(SLACK)));
        }
    }

    @Tag("extended")
    @Test
    void connectionThatRestsAfterARequestIsKept() throws Exception {
        // How long is a setting of theirs.
        assumeTrue(onMuster());
        try (RawHttp http = new RawHttp(base)) {
            for (int i = 0; i < 2; i++) {
                http.write(getOf("/health/live"));
                assertThat(http.reply(false).status()).isEqualTo(200);
                new Bystanders().areFor(PATIENCE.plusSeconds(1));
            }
            http.write(getOf("/health/live"));
            assertThat(http.reply(false).status()).isEqualTo(200);
        }
    }

    private static byte[] getOf(String target) {
        return ("GET " + target + " HTTP/1.1\r\nHost: muster\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    private String loggedSince(long size) throws Exception {
        byte[] log = Files.readAllBytes(registry.server().log());
        return new String(log, (int) size, (int) (log.length - size), StandardCharsets.UTF_8);
    }

    /** All others: an orchestrator, a device that requests a token, and a new one. */
    private final class Bystanders {

        private final Registered device = registry.newDevice();

        /** Are served for as long as that is not so yet. */
        void are(BooleanSupplier condition) {
            List<Duration> times = new ArrayList<>();
            long started = System.nanoTime();
            while (!condition.getAsBoolean()) {
                assertThat(Duration.ofNanos(System.nanoTime() - started))
                        .isLessThan(TimeLimit.of(PATIENCE.plus(SLACK)));
                serve(times);
            }
            assertServed(times, SERVED);
        }

        void areFor(Duration time) {
            areFor(time, SERVED);
        }

        void areFor(Duration time, Duration limit) {
            List<Duration> times = new ArrayList<>();
            long started = System.nanoTime();
            while (System.nanoTime() - started < time.toNanos()) {
                serve(times);
            }
            assertServed(times, limit);
        }

        private void serve(List<Duration> times) {
            times.add(took(200, () -> registry.get("health/live").status()));
            times.add(took(200, () -> registry.get("health/ready").status()));
            times.add(took(200, () -> registry.token(device).status()));
            // How long a refusal takes, the registry decides.
            took(401, () -> registry.register("SN-nobody").status());
        }

        private Duration took(int status, IntSupplier request) {
            long started = System.nanoTime();
            assertThat(request.getAsInt()).isEqualTo(status);
            return Duration.ofNanos(System.nanoTime() - started);
        }

        private void assertServed(List<Duration> times, Duration limit) {
            Collections.sort(times);
            assertThat(times.get(times.size() * 95 / 100))
                    .as("the 95th percentile of " + times.size())
                    .isLessThan(TimeLimit.of(limit));
        }
    }
}
