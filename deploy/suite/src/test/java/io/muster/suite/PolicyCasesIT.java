package io.muster.suite;

import static io.muster.suite.ProblemAssert.assertProblem;
import static io.muster.suite.ProblemAssert.assertUnavailable;
import static io.muster.suite.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The table of cases that operators read: every line of it, asked of a running registry. */
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
            "answers HTML", "HTML");

    private static final RegistryUnderTest REGISTRY = Registries.onMariaDb();
    private static final String GOOD_KEY = randomKey();
    private static final String REVOKED_KEY = randomKey();

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

    @BeforeAll
    static void makeFleets() {
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

    @ParameterizedTest
    @MethodSource("cases")
    void registrationIsAnsweredAsTheTableSays(Case line) throws GeneralSecurityException {
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
        Reply reply = REGISTRY.post("fleets/" + fleet + "/register", JSON, body);

        assertThat(explanation.path("rule").asInt()).as(explanation.toString()).isEqualTo(line.rule());
        String by = line.by().equals("http") ? "erp" : line.by();
        assertThat(explanation.path("reason").asText())
                .startsWith(line.rule() == 2 ? by + ": " : line.rule() == 3 ? "verifier " + by + ": " : "");
        switch (line.status()) {
            case 200 -> assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            case 400 -> assertProblem(reply, 400, "registration-refused");
            case 503 -> assertUnavailable(reply, "verification-unavailable");
            default -> throw new AssertionError("the table has a status of its own: " + line);
        }
        assertThat(REGISTRY.devicesOf(serial)).hasSize(line.status() == 200 ? 1 : 0);
    }

    private static String hmac(String key, String serial) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(key), "HmacSHA256"));
        return Base64.getEncoder().encodeToString(mac.doFinal(serial.getBytes(StandardCharsets.US_ASCII)));
    }
}
