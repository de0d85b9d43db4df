// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.assertUnavailable;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The table of cases that operators read: every line of it, tried on a running registry. */
class PolicyCasesIT {

    private static final Path TABLE = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolve("../../docs/verifiers/policy-cases.csv");

    private static final Map<String, String> BEHAVIOUR = Map.of(
            "genuine", "GOOD",
            "unknown", "UNKN",
            "refused", "REFU",
            "closes the connection", "DROP",
            "is silent", "SLOW",
            "fails with 500", "E500",
            "answers HTML", "HTML",
            "has to ask a person", "PEND");

    private static final RegistryUnderTest REGISTRY = SharedWorld.onMariaDb();
    private static final String GOOD_KEY = randomKey();
    private static final String REVOKED_KEY = randomKey();
    private static final int AT_ONCE = 8;
    private static final Map<Case, Future<Answered>> ANSWERS = new HashMap<>();

    /** A line of the table. */
    record Case(
            int number,
            boolean blocked,
            String hmac,
            String api,
            String onUnavailable,
            int status,
            int rule,
            String by) {

        static Case of(String line) {
            String[] cells = line.split(",", -1);
            return new Case(
                    Integer.parseInt(cells[0]),
                    cells[1].equals("blocked"),
                    cells[2],
                    cells[3],
                    cells[4],
                    Integer.parseInt(cells[5]),
                    Integer.parseInt(cells[6]),
                    cells[7]);
        }
    }

    static List<Case> cases() throws IOException {
        List<Case> cases = new ArrayList<>();
        try (Stream<String> lines = Files.lines(TABLE)) {
            lines.filter(line -> Character.isDigit(line.charAt(0)))
                    .map(Case::of)
                    .forEach(cases::add);
        }
        assertThat(cases).hasSizeGreaterThanOrEqualTo(40);
        return cases;
    }

    private static void makeFleets() {
        for (String onUnavailable : List.of("fail", "skip")) {
            Reply reply = REGISTRY.send(
                    "PUT",
                    "api/v1/fleets/" + fleet(onUnavailable),
                    ("{\"verifiers\":[\"block-list\",\"hmac\",\"erp\"],\"required\":2,\"onUnavailable\":{\"erp\":\""
                                    + onUnavailable + "\"}}")
                            .getBytes(StandardCharsets.UTF_8),
                    "Authorization",
                    "Bearer " + REGISTRY.operatorToken(),
                    "Content-Type",
                    JSON);
            assertThat(reply.status()).as(reply.toString()).isIn(200, 201);
            imported(fleet(onUnavailable), GOOD_KEY);
            String revoked = imported(fleet(onUnavailable), REVOKED_KEY);
            Reply revoke = REGISTRY.send(
                    "POST",
                    "api/v1/fleets/" + fleet(onUnavailable) + "/enrolment-keys/" + revoked + "/revoke",
                    new byte[0],
                    REGISTRY.asOperator());
            assertThat(revoke.status()).as(revoke.toString()).isBetween(200, 204);
        }
    }

    private static String fleet(String onUnavailable) {
        return "cases-" + onUnavailable;
    }

    private static String randomKey() {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        return Base64.getEncoder().encodeToString(key);
    }

    private static String imported(String fleet, String key) {
        Reply reply = REGISTRY.post(
                "api/v1/fleets/" + fleet + "/enrolment-keys", JSON, "{\"key\":\"" + key + "\"}", REGISTRY.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(201);
        return reply.json().path("id").asText();
    }

    /** The answer of the registry to a case. */
    private record Answered(String serial, JsonNode explanation, Reply reply) {}

    /** Asks all at once, since most of the time goes by in refusals, which take theirs, and with an API that is silent. */
    @BeforeAll
    static void askAll() throws IOException {
        makeFleets();
        ExecutorService devices = Executors.newFixedThreadPool(AT_ONCE);
        for (Case line : cases()) {
            ANSWERS.put(line, devices.submit(() -> ask(line)));
        }
        devices.shutdown();
    }

    private static Answered ask(Case line) throws GeneralSecurityException {
        String fleet = fleet(line.onUnavailable());
        String serial = BEHAVIOUR.get(line.api()) + RegistryUnderTest.unusedSerial();
        String evidence =
                switch (line.hmac()) {
                    case "right" -> hmac(GOOD_KEY, serial);
                    case "wrong" -> hmac(GOOD_KEY, serial + "x");
                    case "of a revoked key" -> hmac(REVOKED_KEY, serial);
                    default -> null;
                };
        String body = "{\"serial\":\"" + serial + "\""
                + (evidence == null ? "" : ",\"evidence\":{\"hmac\":\"" + evidence + "\"}") + "}";
        if (line.blocked()) {
            Reply blocked = REGISTRY.send(
                    "POST",
                    "api/v1/fleets/" + fleet + "/serials/" + serial + "/block",
                    new byte[0],
                    REGISTRY.asOperator());
            assertThat(blocked.status()).as(blocked.toString()).isBetween(200, 204);
        }

        JsonNode explanation = REGISTRY.post("api/v1/fleets/" + fleet + "/explain", JSON, body, REGISTRY.asOperator())
                .json();
        return new Answered(serial, explanation, REGISTRY.post("fleets/" + fleet + "/register", JSON, body));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void registrationIsAnsweredAsTheTableSays(Case line) throws Exception {
        Answered answered = ANSWERS.get(line).get();
        JsonNode explanation = answered.explanation();
        Reply reply = answered.reply();

        assertThat(explanation.path("rule").asInt()).as(explanation.toString()).isEqualTo(line.rule());
        String by = line.by().equals("http") ? "erp" : line.by();
        assertThat(explanation.path("reason").asText())
                .startsWith(line.rule() == 2 ? by + ": " : line.rule() == 3 ? "verifier " + by + ": " : "");
        switch (line.status()) {
            case 200 -> assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            case 400 -> assertProblem(reply, 400, "registration-refused");
            case 202 -> {
                assertThat(reply.status()).as(reply.toString()).isEqualTo(202);
                assertThat(reply.header("Retry-After")).contains("7");
                assertThat(reply.json()).hasToString("{\"status\":\"pending\"}");
            }
            case 503 -> assertUnavailable(reply, "verification-unavailable");
            default -> throw new AssertionError("the table has a status of its own: " + line);
        }
        assertThat(REGISTRY.devicesOf(answered.serial())).hasSize(line.status() == 200 ? 1 : 0);
    }

    private static String hmac(String key, String serial) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(key), "HmacSHA256"));
        return Base64.getEncoder().encodeToString(mac.doFinal(serial.getBytes(StandardCharsets.US_ASCII)));
    }
}
