// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static io.muster.verification.http.HttpKind.SERIAL;
import static io.muster.verification.http.HttpWire.says;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiFormTest implements SerialVerifierContract {

    private static final String JSON = "application/json";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;
    private HttpWire quiet;
    private HttpVerifier verifier;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setExecutor(threads);
        server.createContext("/devices/", exchange -> {
            try (exchange) {
                boolean known = exchange.getRequestURI().getPath().equals("/devices/" + SERIAL);
                byte[] reply = (known ? HttpKind.API.genuine() : "{}").getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", JSON);
                exchange.sendResponseHeaders(known ? 200 : 404, reply.length);
                exchange.getResponseBody().write(reply);
            }
        });
        server.start();
        quiet = new HttpWire(HttpWire.Connection::keepQuiet);
        verifier = HttpKind.verifier(
                HttpKind.API.settings("http://127.0.0.1:" + server.getAddress().getPort()));
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
        return Optional.of(HttpKind.verifier(HttpKind.API.settings("http://127.0.0.1:" + HttpWire.deadPort())));
    }

    @Override
    public Optional<SerialVerifier> withSlowBackEnd() {
        return Optional.of(HttpKind.API.verifier(quiet, "timeout", "PT0.5S"));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "../x,                ..%2Fx",
                "../../admin,         ..%2F..%2Fadmin",
                "?verified=true,      %3Fverified%3Dtrue",
                "%2e%2e,              %252e%252e",
                "a/b?c#d,             a%2Fb%3Fc%23d",
                "a&b=c;d,             a%26b%3Dc%3Bd",
                "a+b@c:d,             a%2Bb%40c%3Ad",
                "\\..\\x,             %5C..%5Cx",
                "{serial},            %7Bserial%7D",
                "{fleet},             %7Bfleet%7D",
                "$1\\$0,              %241%5C%240",
                "x'OR'1'='1,          x%27OR%271%27%3D%271",
                "@evil.example/,      %40evil.example%2F",
                "~a-b_c.d,            ~a-b_c.d"
            })
    void serialStaysOneSegmentAndOneValue(String serial, String encoded) throws Exception {
        try (HttpWire wire = new HttpWire(says(404, JSON, ""));
                HttpVerifier asking = HttpKind.API.verifier(
                        wire, "url", wire.url("/a/{serial}/b?fleet={fleet}&serial={serial}&x=1"))) {
            assertThat(asking.verify(Candidates.withSerial(serial))).isEqualTo(Verdict.unknown());

            HttpWire.Question asked = wire.questions().get(0);
            assertThat(asked.line())
                    .isEqualTo("GET /a/" + encoded + "/b?fleet=default&serial=" + encoded + "&x=1 HTTP/1.1");
            assertThat(asked.headers()).containsEntry("Host", "127.0.0.1:" + wire.port());
            assertThat(asked.headers().keySet())
                    .containsExactlyInAnyOrder("Accept", "Authorization", "Content-Length", "Host", "User-Agent");
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "a\"b\\c|             {\"sn\":\"a\\\"b\\\\c\",\"in\":\"default\"}",
                "\",\"admin\":true,\"|{\"sn\":\"\\\",\\\"admin\\\":true,\\\"\",\"in\":\"default\"}",
                "\\u0022x|            {\"sn\":\"\\\\u0022x\",\"in\":\"default\"}",
                "{fleet}|             {\"sn\":\"{fleet}\",\"in\":\"default\"}"
            },
            delimiter = '|')
    void serialStaysOneJsonString(String serial, String body) throws Exception {
        try (HttpWire wire = new HttpWire(says(404, JSON, ""));
                HttpVerifier asking = HttpKind.API.verifier(
                        wire,
                        "method",
                        "POST",
                        "url",
                        wire.url("/lookup"),
                        "body",
                        "{\"sn\":\"{serial}\",\"in\":\"{fleet}\"}")) {
            asking.verify(Candidates.withSerial(serial));

            HttpWire.Question asked = wire.questions().get(0);
            assertThat(asked.line()).isEqualTo("POST /lookup HTTP/1.1");
            assertThat(asked.body()).isEqualTo(body);
            assertThat(asked.headers()).containsEntry("Content-Type", JSON);
        }
    }

    @Test
    void serialStaysOneFieldOfAForm() throws Exception {
        try (HttpWire wire = new HttpWire(says(404, JSON, ""));
                HttpVerifier asking = HttpKind.API.verifier(
                        wire,
                        "method",
                        "PUT",
                        "url",
                        wire.url("/lookup"),
                        "content-type",
                        "application/x-www-form-urlencoded",
                        "body",
                        "sn={serial}&fleet={fleet}")) {
            asking.verify(Candidates.withSerial("a&admin=true+"));

            assertThat(wire.questions().get(0).line()).isEqualTo("PUT /lookup HTTP/1.1");
            assertThat(wire.questions().get(0).body()).isEqualTo("sn=a%26admin%3Dtrue%2B&fleet=default");
        }
    }

    @Test
    void serialWithALineBreakIsNoSerial() {
        assertThat(SerialNumber.isValid("abcd\r\nX-Admin: true")).isFalse();
    }

    @Test
    void ownHeadersAreSent() throws Exception {
        try (HttpWire wire = new HttpWire(says(200, JSON, HttpKind.API.genuine()));
                HttpVerifier asking = HttpKind.API.verifier(
                        wire,
                        "headers",
                        "X-Api-Key, accept, X-Version",
                        "header.x-api-key",
                        "a, b: c",
                        "header.accept",
                        "application/vnd.acme+json",
                        "header.x-version",
                        "2")) {
            asking.verify(Candidates.withSerial(SERIAL));

            assertThat(wire.questions().get(0).headers())
                    .containsEntry("X-Api-Key", "a, b: c")
                    .containsEntry("Accept", "application/vnd.acme+json")
                    .containsEntry("X-Version", "2")
                    .containsEntry("Authorization", "Bearer " + HttpKind.SECRET);
        }
    }

    @ParameterizedTest
    @CsvSource({"200,genuine", "204,genuine", "403,refused", "410,refused", "404,unknown", "423,unknown"})
    void statusAloneDecidesWhereThatIsWanted(int status, String verdict) throws Exception {
        try (HttpWire wire = new HttpWire(statusOnly(status));
                HttpVerifier asking = HttpKind.verifier(Map.of(
                        "allow-http", "true",
                        "allow-private", "true",
                        "url", wire.url("/{serial}"),
                        "method", "HEAD",
                        "status-only", "true",
                        "genuine-status", "200, 204",
                        "refused-status", "403, 410",
                        "unknown-status", "404, 423"))) {
            Verdict expected =
                    switch (verdict) {
                        case "genuine" -> Verdict.genuine();
                        case "refused" -> Verdict.refused("the API answered with status " + status);
                        default -> Verdict.unknown();
                    };

            assertThat(asking.verify(Candidates.withSerial(SERIAL))).isEqualTo(expected);
            assertThat(wire.questions().get(0).line()).isEqualTo("HEAD /" + SERIAL + " HTTP/1.1");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {201, 301, 400, 401, 404, 500})
    void statusThatIsMappedToNothingIsUnavailable(int status) throws Exception {
        try (HttpWire wire = new HttpWire(statusOnly(status));
                HttpVerifier asking = HttpKind.verifier(Map.of(
                        "allow-http", "true",
                        "allow-private", "true",
                        "url", wire.url("/{serial}"),
                        "status-only", "true",
                        "unknown-status", "none"))) {
            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> asking.verify(Candidates.withSerial(SERIAL)))
                    .withMessage("verifier acme: status " + status + " is mapped to no verdict");
        }
    }

    private static Map<String, String> statuses(HttpWire wire, String... more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "allow-http", "true",
                "allow-private", "true",
                "url", wire.url("/{serial}"),
                "status-only", "true"));
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return settings;
    }

    private static HttpWire accepted(String headers) throws IOException {
        return new HttpWire(connection -> connection.write(HttpWire.reply(202, headers, "")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                                                                                  |",
                "Retry-After: 90                                                                     | PT1M30S",
                "Retry-After: soon                                                                   |",
                "'Retry-After: Mon, 23 Nov 2026 08:51:37 GMT'                                        |",
                "'Date: Mon, 23 Nov 2026 08:49:37 GMT\r\nRetry-After: Mon, 23 Nov 2026 08:51:37 GMT'  | PT2M",
                "'Date: Mon, 23 Nov 2026 08:49:37 GMT\r\nRetry-After: Mon, 23 Nov 2026 08:00:00 GMT'  |",
            })
    void apiThatHasToAskSomebodyAnswersPending(String headers, Duration retryAfter) throws Exception {
        String lines = headers.replace("\\r\\n", "\r\n");
        try (HttpWire wire = accepted(lines.isEmpty() ? "" : lines + "\r\n");
                HttpVerifier asking = HttpKind.verifier(statuses(wire))) {
            assertThat(asking.verify(Candidates.withSerial(SERIAL)))
                    .isEqualTo(new Verdict.Pending(Optional.ofNullable(retryAfter)));
        }
    }

    @Test
    void acceptedMeansWhatTheSettingsSay() throws Exception {
        try (HttpWire wire = accepted("");
                HttpVerifier genuine = HttpKind.verifier(statuses(wire, "genuine-status", "200, 202"));
                HttpVerifier unmapped = HttpKind.verifier(statuses(wire, "pending-status", "none"));
                HttpVerifier other = HttpKind.verifier(statuses(wire, "pending-status", "202, 423"))) {
            assertThat(genuine.verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.genuine());
            assertThat(other.verify(Candidates.withSerial(SERIAL))).isEqualTo(Verdict.pending());
            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> unmapped.verify(Candidates.withSerial(SERIAL)));
        }
    }

    @Test
    void statusThatIsMappedToRefusedIsNoLongerUnknown() throws Exception {
        try (HttpWire wire = new HttpWire(says(404, JSON, ""));
                HttpVerifier asking = HttpKind.API.verifier(wire, "refused-status", "404")) {
            assertThat(asking.verify(Candidates.withSerial(SERIAL)))
                    .isEqualTo(Verdict.refused("the API answered with status 404"));
        }
    }

    @Test
    void otherValueIsRefusedWhereThatIsWanted() throws Exception {
        String reply = HttpKind.API.genuine().replace("true", "false");
        try (HttpWire wire = new HttpWire(says(200, JSON, reply));
                HttpVerifier asking = HttpKind.API.verifier(wire, "otherwise", "refused")) {
            assertThat(asking.verify(Candidates.withSerial(SERIAL)))
                    .isEqualTo(Verdict.refused("the API answered with another value at /verified"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "\"active\"|\"active\"|true",
                "\"active\"|\"Active\"|false",
                "\"true\"|\"true\"|true",
                "\"true\"|true|false",
                "1|1|true",
                "1|true|false",
                "1|\"1\"|false",
                "1|2|false",
                "false|false|true",
                "false|null|false",
                "false|0|false"
            })
    void valueMustBeExactlyTheExpectedOne(String expected, String given, boolean genuine) throws Exception {
        try (HttpWire wire = new HttpWire(
                        says(200, "application/vnd.acme+json; charset=UTF-8", "{\"a\":[{\"b/c~d\":" + given + "}]}"));
                HttpVerifier asking = HttpKind.verifier(Map.of(
                        "allow-http", "true",
                        "allow-private", "true",
                        "url", wire.url("/{serial}"),
                        "pointer", "/a/0/b~1c~0d",
                        "equals", expected))) {
            assertThat(asking.verify(Candidates.withSerial(SERIAL)))
                    .isEqualTo(genuine ? Verdict.genuine() : Verdict.unknown());
        }
    }

    @Test
    void whatTheApiKnowsIsPassedOn() throws Exception {
        String reply = "{\"serial\":\"" + SERIAL + "\",\"verified\":true,\"title\":\"Boiler 7\","
                + "\"site\":{\"id\":17,\"open\":true,\"none\":null},\"range\":[0,21.25],\"model\":\"X\"}";
        try (HttpWire wire = new HttpWire(says(200, JSON, reply));
                HttpVerifier asking = HttpKind.API.verifier(
                        wire,
                        "name-pointer",
                        "/title",
                        "tags",
                        "site=/site/id, model = /model, none=/site/none, absent=/absent",
                        "attributes",
                        "limit=/range/1,floor=/range/0,open=/site/open,model=/model,none=/site/none,absent=/a/b")) {
            assertThat(asking.verify(Candidates.withSerial(SERIAL)))
                    .isEqualTo(new Verdict.Genuine(
                            Optional.of("Boiler 7"),
                            Map.of("site", "17", "model", "X"),
                            Map.of("limit", new BigDecimal("21.25"), "floor", 0, "open", true, "model", "X")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"name-pointer", "tags", "attributes"})
    void whatIsNoScalarIsUnavailable(String key) throws Exception {
        String reply = HttpKind.API.genuine().replace("}", ",\"a\":{\"b\":1}}");
        try (HttpWire wire = new HttpWire(says(200, JSON, reply));
                HttpVerifier asking = HttpKind.API.verifier(wire, key, key.equals("name-pointer") ? "/a" : "name=/a")) {
            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> asking.verify(Candidates.withSerial(SERIAL)))
                    .withMessageContaining("at /a");
        }
    }

    private static HttpWire.Script statusOnly(int status) {
        return connection -> connection.write("HTTP/1.1 " + status + " Whatever\r\n"
                + (status == 204 ? "" : "Content-Length: 0\r\n") + "Connection: close\r\n\r\n");
    }
}
