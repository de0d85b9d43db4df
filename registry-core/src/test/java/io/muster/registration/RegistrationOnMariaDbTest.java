// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.config.MusterConfig;
import io.muster.fleet.FleetsContract;
import io.muster.jose.PublicJwk;
import io.muster.operator.SerialImport;
import io.muster.persistence.MariaDbServer;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.token.DeviceKey;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RegistrationOnMariaDbTest implements RegistrationContract, FleetsContract {

    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static MariaDbServer server;

    @BeforeAll
    static void start() {
        server = MariaDbServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static TestRegistry on(String database) {
        return TestRegistry.fresh()
                .with("muster.database.url", server.jdbcUrl(database))
                .with("muster.database.user", server.user())
                .with("muster.database.password", server.password());
    }

    @Override
    public TestRegistry fresh() {
        return on("muster" + DATABASES.incrementAndGet());
    }

    private static Map<String, Long> statements() throws SQLException {
        Map<String, Long> counts = new HashMap<>();
        try (Connection connection =
                        DriverManager.getConnection(server.jdbcUrl("mysql_test"), server.user(), server.password());
                Statement show = connection.createStatement();
                ResultSet rows = show.executeQuery(
                        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_select','Com_insert','Com_update','Com_delete','Com_commit')")) {
            while (rows.next()) {
                counts.put(rows.getString(1), rows.getLong(2));
            }
        }
        return counts;
    }

    /** How often the registry may poll meanwhile. Each poll is one update and several selects. */
    private static final long POLLS = 40;

    private static final long SELECTS_OF_A_POLL = 3;

    /** Selects of tasks that look for work: jobs, webhooks, seals. Fewer than one for each request that is counted. */
    private static final long MOST_OF_OTHERS = 90;

    /**
     * Checks that there were this many selects and no update, apart from those of polls and other tasks. One poll may
     * have begun before or may end afterwards.
     */
    private static void assertSelects(long expected, Map<String, Long> before, Map<String, Long> after) {
        long polls = after.get("Com_update") - before.get("Com_update");
        assertThat(polls).isLessThan(POLLS);
        assertThat(after.get("Com_select") - before.get("Com_select") - SELECTS_OF_A_POLL * polls)
                .isBetween(expected - SELECTS_OF_A_POLL, expected + MOST_OF_OTHERS);
    }

    @Test
    void registrationIsThreeStatementsAndTokenAndCheckAreNone() throws Exception {
        int devices = 200;
        try (TestNode registry = fresh().start()) {
            registry.serialImport()
                    .csv(
                            registry.fleets().find(MusterConfig.DEFAULT_FLEET).orElseThrow(),
                            new ByteArrayInputStream(IntStream.range(0, devices)
                                    .mapToObj(i -> "SN-" + (10_000 + i))
                                    .collect(Collectors.joining("\n", "serial\n", "\n"))
                                    .getBytes(StandardCharsets.UTF_8)),
                            "test");
            List<RegistrationReceipt> receipts = new ArrayList<>();

            Map<String, Long> before = statements();
            for (int i = 0; i < devices; i++) {
                receipts.add(registry.registrar().register(Candidates.withSerial("SN-" + (10_000 + i))));
            }
            Map<String, Long> registered = statements();

            assertThat(registered.get("Com_insert") - before.get("Com_insert")).isEqualTo(2L * devices);
            // The verifier looks up the expected serial, once.
            assertSelects(devices, before, registered);

            String token = null;
            for (int warm = 0; warm < 2; warm++) {
                for (RegistrationReceipt receipt : receipts) {
                    token = registry.tokenIssuer()
                            .issue(registry.authenticator()
                                    .authenticate(receipt.key(), receipt.secret())
                                    .orElseThrow());
                    assertThat(registry.tokenVerifier().verify(token)).isPresent();
                }
            }
            Map<String, Long> steady = statements();
            for (RegistrationReceipt receipt : receipts) {
                String again = registry.tokenIssuer()
                        .issue(registry.authenticator()
                                .authenticate(receipt.key(), receipt.secret())
                                .orElseThrow());
                assertThat(registry.tokenVerifier().verify(again)).isPresent();
            }
            Map<String, Long> after = statements();

            assertThat(after.get("Com_insert") - steady.get("Com_insert")).isZero();
            assertSelects(0, steady, after);
        }
    }

    @Test
    void assertionIsOneInsertAndACheckOfItsTokenIsNone() throws Exception {
        int requests = 100;
        try (TestNode registry = fresh().with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine())
                .start()) {
            DeviceKey own = DeviceKey.ec();
            PublicJwk publicKey = own.publicJwk();
            long now = TestRegistry.NOW.getEpochSecond();
            String issuer = "https://registry.example";
            String proof = own.sign(
                    Map.of("alg", "ES256", "typ", "muster-proof+jwt"),
                    Map.of("serial", "SN-0001", "aud", issuer, "iat", now));
            RegistrationReply.Plain reply = (RegistrationReply.Plain) registry.registrar()
                    .register(new RegistrationAttempt(
                            Candidates.withSerial("SN-0001"),
                            Optional.of(new RegistrationAttempt.OfferedKey(publicKey, proof)),
                            Optional.empty(),
                            Optional.empty()));
            String key = reply.receipt().key();
            List<String> assertions = IntStream.rangeClosed(0, requests)
                    .mapToObj(i -> own.sign(
                            Map.of("alg", "ES256"),
                            Map.of("iss", key, "sub", key, "aud", issuer, "exp", now + 60, "jti", "id" + i)))
                    .toList();
            assertThat(tokenIsGood(registry, assertions.get(0))).isTrue();

            Map<String, Long> before = statements();
            for (String assertion : assertions.subList(1, requests + 1)) {
                assertThat(tokenIsGood(registry, assertion)).isTrue();
            }
            Map<String, Long> after = statements();

            assertThat(after.get("Com_insert") - before.get("Com_insert")).isEqualTo(requests);
            assertSelects(0, before, after);
        }
    }

    private static boolean tokenIsGood(TestNode registry, String assertion) {
        return registry.clientAssertions()
                .authenticate(assertion)
                .map(registry.tokenIssuer()::issue)
                .flatMap(registry.tokenVerifier()::verify)
                .isPresent();
    }

    @Tag("timing")
    @Test
    void databaseThatGoesAwayIsUnavailableAndComesBackWithoutARestart() {
        try (TestNode registry = fresh().start()) {
            SerialImport imports = registry.serialImport();
            imports.csv(
                    registry.fleets().find("default").orElseThrow(),
                    new ByteArrayInputStream("serial\nSN-0001\n".getBytes(StandardCharsets.UTF_8)),
                    "test");
            assertThat(registry.isReady()).isTrue();

            server.kill();

            assertThat(registry.isReady()).isFalse();
            assertThat(problem(registry)).isEqualTo(ProblemType.VERIFICATION_UNAVAILABLE);

            server.restart();

            long deadline =
                    System.nanoTime() + TimeLimit.of(Duration.ofSeconds(5)).toNanos();
            while (!registry.isReady()) {
                assertThat(System.nanoTime()).as("the time is over").isLessThan(deadline);
            }
            assertThat(registry.registrar()
                            .register(Candidates.withSerial("SN-0001"))
                            .deviceId())
                    .isNotBlank();
        }
    }

    private static ProblemType problem(TestNode registry) {
        try {
            registry.registrar().register(Candidates.withSerial("SN-0001"));
        } catch (RegistryException e) {
            return e.type();
        }
        throw new AssertionError("nothing was refused");
    }
}
