// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static io.muster.verification.http.HttpKind.SECRET;
import static io.muster.verification.http.HttpKind.SERIAL;
import static io.muster.verification.http.HttpWire.says;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.muster.json.Json;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against an endpoint that checks the signature as the documentation tells it to. */
class ContractFormTest implements SerialVerifierContract {

    private static final String JSON = "application/json";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;
    private HttpWire quiet;
    private HttpVerifier verifier;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setExecutor(threads);
        server.createContext("/verify", ContractFormTest::answer);
        server.start();
        quiet = new HttpWire(HttpWire.Connection::keepQuiet);
        verifier = HttpKind.verifier(HttpKind.CONTRACT.settings(
                "http://127.0.0.1:" + server.getAddress().getPort()));
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String id = exchange.getRequestHeaders().getFirst("Muster-Id");
            String time = exchange.getRequestHeaders().getFirst("Muster-Time");
            String signature = exchange.getRequestHeaders().getFirst("Muster-Signature");
            if (!signature.equals("v1=" + hmac(id + "." + time + "." + new String(body, StandardCharsets.UTF_8)))) {
                exchange.sendResponseHeaders(401, -1);
                return;
            }
            Object serial = Json.parseObject(body).get("serial");
            byte[] reply =
                    Json.bytes(Map.of("serial", serial, "verdict", serial.equals(SERIAL) ? "genuine" : "unknown"));
            exchange.getResponseHeaders().set("Content-Type", JSON);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
        }
    }

    private static String hmac(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void stop() throws IOException {
        verifier.close();
        quiet.close();
        server.stop(0);
        threads.shutdownNow();
    }

    @Override
    public SerialVerifier verifier() {
        return verifier;
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(Candidates.withSerial(SERIAL));
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withSerial("SN-9999");
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() throws IOException {
        return Optional.of(HttpKind.verifier(HttpKind.CONTRACT.settings("http://127.0.0.1:" + HttpWire.deadPort())));
    }

    @Override
    public Optional<SerialVerifier> withSlowBackEnd() {
        return Optional.of(HttpKind.CONTRACT.verifier(quiet, "timeout", "PT0.5S"));
    }

    @Test
    void questionIsExactlyWhatTheDocumentationSays() throws Exception {
        Map<String, Object> evidence = new LinkedHashMap<>();
        evidence.put("code", "a\"b\\c\u00fc");
        evidence.put("nested", Map.of("list", List.of(1, true, "x")));
        try (HttpWire wire = new HttpWire(says(200, JSON, HttpKind.CONTRACT.genuine()));
                HttpVerifier asking = HttpKind.CONTRACT.verifier(wire, "authorization", "Basic abc")) {
            asking.verify(Candidates.withEvidence(SERIAL, evidence));

            HttpWire.Question asked = wire.questions().get(0);
            assertThat(asked.line()).isEqualTo("POST /verify HTTP/1.1");
            assertThat(asked.body())
                    .startsWith("{\"version\":1,\"serial\":\"" + SERIAL
                            + "\",\"fleet\":\"default\",\"origin\":\"192.0.2.7\",\"evidence\":{")
                    .contains("\"code\":\"a\\\"b\\\\c\u00fc\"")
                    .contains("\"nested\":{\"list\":[1,true,\"x\"]}");
            String id = asked.headers().get("Muster-Id");
            assertThat(UUID.fromString(id)).hasToString(id);
            assertThat(asked.headers())
                    .containsEntry("Content-Type", JSON)
                    .containsEntry("Accept", JSON)
                    .containsEntry("Authorization", "Basic abc")
                    .containsEntry("Muster-Time", "1767323045")
                    .containsEntry("Muster-Signature", "v1=" + hmac(id + ".1767323045." + asked.body()));
            assertThat(asked.headers().keySet())
                    .containsExactlyInAnyOrder(
                            "Accept",
                            "Authorization",
                            "Content-Length",
                            "Content-Type",
                            "Host",
                            "Muster-Id",
                            "Muster-Signature",
                            "Muster-Time",
                            "User-Agent");
        }
    }

    @Test
    void questionHasTheBindingOfACandidateThatHasOne() throws Exception {
        String thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        try (HttpWire wire = new HttpWire(says(200, JSON, HttpKind.CONTRACT.genuine()));
                HttpVerifier asking = HttpKind.CONTRACT.verifier(wire)) {
            asking.verify(Candidates.withSerial(SERIAL).boundTo(thumbprint));

            assertThat(wire.questions().get(0).body()).endsWith("\"evidence\":{},\"binding\":\"" + thumbprint + "\"}");
        }
    }

    @Test
    void endpointThatHasToAskSomebodyAnswersPending() throws Exception {
        try (HttpWire wire = new HttpWire(
                        connection -> connection.write(HttpWire.reply(202, "Retry-After: 600\r\n", "queued")));
                HttpVerifier asking = HttpKind.CONTRACT.verifier(wire)) {
            assertThat(asking.verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.pending(Duration.ofMinutes(10)));
        }
    }

    @Test
    void everyQuestionHasAnIdOfItsOwn() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, HttpKind.CONTRACT.genuine()));
                HttpVerifier asking = HttpKind.CONTRACT.verifier(wire)) {
            asking.verify(Candidates.withSerial(SERIAL));
            asking.verify(Candidates.withSerial(SERIAL));

            assertThat(wire.questions().stream().map(asked -> asked.headers().get("Muster-Id")))
                    .hasSize(2)
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void signatureOfTheDocumentationIsTheOneThatIsMade() throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("an-example-secret-of-32-bytes-xx".getBytes(StandardCharsets.UTF_8), "HmacSHA256"));

        String signature = HexFormat.of()
                .formatHex(mac.doFinal(("4f2a0c5e-7c1b-4d0a-9a55-0b7c5f6e2d11.1767323045."
                                + "{\"version\":1,\"serial\":\"SN-0001\",\"fleet\":\"default\",\"origin\":\"192.0.2.7\",\"evidence\":{}}")
                        .getBytes(StandardCharsets.UTF_8)));

        assertThat(signature).isEqualTo("bd32c218c77225f34941a5d6d237aa93ddb4b4ef0ebf3173fa566965fc23e251");
    }

    @Test
    void everythingThatTheEndpointKnowsIsPassedOn() throws Exception {
        assertThat(answerTo("\"verdict\":\"genuine\",\"reason\":null,\"name\":\"Boiler 7\",\"tags\":{\"site\":\"17\"},"
                        + "\"attributes\":{\"limit\":21.25,\"floor\":0,\"open\":true,\"model\":\"X\"}"))
                .isEqualTo(new Verdict.Genuine(
                        Optional.of("Boiler 7"),
                        Map.of("site", "17"),
                        Map.of("limit", new BigDecimal("21.25"), "floor", 0, "open", true, "model", "X")));
    }

    @Test
    void unknownIsUnknown() throws Exception {
        assertThat(answerTo("\"verdict\":\"unknown\"")).isEqualTo(Verdict.unknown());
    }

    @Test
    void refusedIsRefusedWithItsReason() throws Exception {
        assertThat(answerTo("\"verdict\":\"refused\",\"reason\":\"stolen in May\""))
                .isEqualTo(Verdict.refused("stolen in May"));
        assertThat(answerTo("\"verdict\":\"refused\"")).isEqualTo(Verdict.refused("the endpoint gave no reason"));
    }

    @Test
    void reasonBecomesOneShortLineForTheLog() throws Exception {
        assertThat(answerTo("\"verdict\":\"refused\",\"reason\":\"a\\r\\nb\\u001bc\\u2028d\\u202ee" + "x".repeat(500)
                        + "\""))
                .isEqualTo(Verdict.refused("a  b c d e" + "x".repeat(190)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"name\":7",
                "\"name\":{}",
                "\"reason\":[]",
                "\"tags\":[]",
                "\"tags\":\"a\"",
                "\"tags\":{\"a\":1}",
                "\"tags\":{\"a\":null}",
                "\"attributes\":[1]",
                "\"attributes\":true",
                "\"attributes\":{\"a\":null}",
                "\"attributes\":{\"a\":[1]}",
                "\"attributes\":{\"a\":{\"b\":1}}",
                "\"Verdict\":\"genuine\"",
                "\"verified\":true"
            })
    void memberThatIsNotInTheContractIsUnavailable(String member) {
        assertThatExceptionOfType(VerificationUnavailableException.class)
                .isThrownBy(() -> answerTo("\"verdict\":\"genuine\"," + member))
                .withMessageStartingWith("verifier acme: status 200 came with ")
                .withNoCause();
    }

    private static Verdict answerTo(String members) throws IOException {
        try (HttpWire wire = new HttpWire(says(200, JSON, "{\"serial\":\"" + SERIAL + "\"," + members + "}"));
                HttpVerifier asking = HttpKind.CONTRACT.verifier(wire)) {
            return asking.verify(Candidates.withSerial(SERIAL));
        }
    }
}
