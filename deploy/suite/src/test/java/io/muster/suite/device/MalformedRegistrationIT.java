// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.ProblemAssert.pointers;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.spi.TimeLimit;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.ServerKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies that are no registration, and the answer to each. */
@Tag("timing")
@Tag("portable")
class MalformedRegistrationIT {

    private static final int CAP = 64 * 1024;
    private static final long HUGE = 200L * 1024 * 1024;
    private static final long MOST_READ = 1024 * 1024;

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private static Arguments text(String what, String body, String... pointers) {
        return Arguments.of(what, body.getBytes(StandardCharsets.UTF_8), List.of(pointers));
    }

    private static Arguments serial(String what, String json) {
        return text("serial " + what, "{\"serial\":" + json + "}", "#/serial");
    }

    private static Arguments encoded(String what, String charset) {
        return Arguments.of(what, body("SN-0001").getBytes(Charset.forName(charset)), List.of("#"));
    }

    static Stream<Arguments> faults() {
        String good = body("SN-0001");
        return Stream.of(
                text("no serial", "{}", "#/serial"),
                text("serial in another case", "{\"Serial\":\"SN-0001\"}", "#/serial"),
                serial("empty", "\"\""),
                serial("null", "null"),
                serial("number", "12345"),
                serial("boolean", "true"),
                serial("array", "[\"SN-0001\"]"),
                serial("object", "{\"value\":\"SN-0001\"}"),
                serial("too short", "\"abc\""),
                serial("too long", "\"" + "a".repeat(129) + "\""),
                serial("blank", "\"     \""),
                serial("with a blank", "\"SN 0001\""),
                serial("ending in a blank", "\"SN-0001 \""),
                serial("ending in a line", "\"SN-0001\\n\""),
                serial("with NUL", "\"SN-0001\\u0000\""),
                serial("with a control character", "\"SN-\\u00070001\""),
                serial("with DEL", "\"SN-\\u007f0001\""),
                serial("not ASCII", "\"SN-\u00c4bc1\""),
                serial("with an escaped umlaut", "\"SN-\\u00c4bc1\""),
                serial("with half a surrogate", "\"SN-\\ud83d01\""),
                serial("with an emoji", "\"SN-\\ud83d\\ude0001\""),
                serial("in full width", "\"\uff33\uff2e\uff0d\uff10\uff10\""),
                text("empty", "", "#"),
                text("blank", "  \n ", "#"),
                text("not JSON", "serial=SN-0001", "#"),
                text("half", "{\"serial\":\"SN-00", "#"),
                text("single quotes", "{'serial':'SN-0001'}", "#"),
                text("comment", "/* */" + good, "#"),
                text("comma at the end", "{\"serial\":\"SN-0001\",}", "#"),
                text("NaN", "{\"serial\":\"SN-0001\",\"x\":NaN}", "#"),
                text("line in a string", "{\"serial\":\"SN-0001\",\"x\":\"a\nb\"}", "#"),
                text("unknown escape", "{\"serial\":\"SN-\\x30001\"}", "#"),
                text("byte order mark in the middle", "{\ufeff\"serial\":\"SN-0001\"}", "#"),
                encoded("UTF-16", "UTF-16"),
                encoded("UTF-16LE", "UTF-16LE"),
                encoded("UTF-32", "UTF-32"),
                Arguments.of(
                        "not UTF-8",
                        "{\"serial\":\"SN-\u00e40001\"}".getBytes(StandardCharsets.ISO_8859_1),
                        List.of("#")),
                Arguments.of("overlong UTF-8", overlong(), List.of("#")),
                text("member twice", "{\"serial\":\"SN-0001\",\"serial\":\"SN-0002\"}", "#"),
                text("member twice, escaped", "{\"serial\":\"SN-0001\",\"\\u0073erial\":\"SN-0002\"}", "#"),
                text(
                        "member twice inside",
                        "{\"serial\":\"SN-0001\",\"evidence\":{\"a\":1,\"b\":{\"c\":1,\"c\":2}}}",
                        "#"),
                text("member twice in what is ignored", "{\"serial\":\"SN-0001\",\"x\":[{\"c\":1,\"c\":2}]}", "#"),
                text("text after it", good + " x", "#"),
                text("object after it", good + good, "#"),
                text("bracket after it", good + "}", "#"),
                text("NUL after it", good + "\0", "#"),
                text("array", "[" + good + "]", "#"),
                text("string", "\"SN-0001\"", "#"),
                text("number", "1", "#"),
                text("null", "null", "#"),
                text("33 levels", nested(32), "#"),
                text("6,000 levels", nested(6_000), "#"),
                text("unclosed levels", "{\"serial\":\"SN-0001\",\"x\":" + "[".repeat(30_000), "#"),
                text("levels of objects", "{\"x\":".repeat(10_000) + "1", "#"),
                text("long number", "{\"serial\":\"SN-0001\",\"x\":" + "1".repeat(1_000) + "}", "#"),
                text(
                        "number as long as may be",
                        "{\"serial\":\"SN-0001\",\"evidence\":{\"x\":" + "9".repeat(60_000) + "}}",
                        "#"),
                text("evidence is no object", "{\"serial\":\"SN-0001\",\"evidence\":[]}", "#/evidence"),
                text("requestId is no string", "{\"serial\":\"SN-0001\",\"requestId\":7}", "#/requestId", "#/replyKey"),
                text(
                        "requestId has NUL",
                        "{\"serial\":\"SN-0001\",\"requestId\":\"a\\u0000\"}",
                        "#/requestId",
                        "#/replyKey"),
                text(
                        "requestId has half a surrogate",
                        "{\"serial\":\"SN-0001\",\"requestId\":\"\\ud83d\"}",
                        "#/requestId",
                        "#/replyKey"),
                text("requestId is empty", "{\"serial\":\"SN-0001\",\"requestId\":\"\"}", "#/requestId", "#/replyKey"),
                text("requestId has no replyKey", "{\"serial\":\"SN-0001\",\"requestId\":\"r\"}", "#/replyKey"),
                text(
                        "replyKey is null",
                        "{\"serial\":\"SN-0001\",\"requestId\":\"r\",\"replyKey\":null}",
                        "#/replyKey"),
                text("a key of its own", "{\"serial\":\"SN-0001\",\"publicKey\":{}}", "#/publicKey", "#/proof"),
                text(
                        "everything at once",
                        "{\"serial\":1,\"evidence\":2,\"requestId\":3,\"publicKey\":4,\"proof\":5}",
                        "#/serial",
                        "#/evidence",
                        "#/requestId",
                        "#/replyKey",
                        "#/publicKey",
                        "#/proof"));
    }

    private static byte[] overlong() {
        // A slash in two bytes.
        byte[] good = body("SN-00/1").getBytes(StandardCharsets.ISO_8859_1);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte b : good) {
            if (b == '/') {
                bytes.write(0xc0);
                bytes.write(0xaf);
            } else {
                bytes.write(b);
            }
        }
        return bytes.toByteArray();
    }

    /** Returns the object with this many levels below it. */
    private static String nested(int levels) {
        return "{\"serial\":\"SN-0001\",\"x\":" + "[".repeat(levels) + "]".repeat(levels) + "}";
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void isAnInvalidRequestWithEveryFaultInPlace(String what, byte[] body, List<String> pointers) {
        for (String address : List.of("register", "fleets/default/register")) {
            long started = System.nanoTime();
            Reply reply = registry.post(address, JSON, body);
            Duration took = Duration.ofNanos(System.nanoTime() - started);

            assertProblem(reply, 400, "invalid-request");
            assertThat(pointers(reply)).containsExactlyInAnyOrderElementsOf(pointers);
            assertThat(reply.text()).doesNotContain("SN-0");
            assertThat(took).isLessThan(TimeLimit.of(Duration.ofSeconds(2)));
        }
    }

    @Test
    void unknownMembersAreIgnoredAndSetNothing() {
        String serial = registry.expectedSerial();

        Reply reply = registry.post(
                "register",
                JSON,
                """
                {"deviceId": "0123", "state": "retired", "fleet": "always", "name": "mine", "tags": {"a": "b"},
                 "key": "k", "secret": "s", "attributes": {"x": 1}, "__proto__": {}, "constructor": {},
                 "serial": "%s", "evidence": {"a": [1, {"b": null}]}, "requestId": null, "x": 1e400, "y": -0.0}
                """
                        .formatted(serial));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        JsonNode device = registry.devicesOf(serial).get(0);
        assertThat(device.path("deviceId").asText()).isNotEqualTo("0123");
        assertThat(device.path("fleet").asText()).isEqualTo("default");
        assertThat(device.path("state").asText()).isEqualTo("active");
        assertThat(device.path("name").asText("")).isNotEqualTo("mine");
        assertThat(device.path("tags").size()).isEqualTo(1);
        assertThat(device.path("attributes").size()).isZero();
    }

    @Test
    void thirtyTwoLevelsAreRead() {
        Reply reply = registry.post("register", JSON, nested(31).replace("SN-0001", registry.expectedSerial()));

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    }

    @Test
    void numberThatWouldBeABombAsAnIntegerIsHarmless() {
        long started = System.nanoTime();
        for (String number : List.of("1e999999999", "-1e-999999999", "1E+2147483647", "0." + "0".repeat(90) + "1")) {
            Reply reply = registry.post(
                    "register",
                    JSON,
                    "{\"serial\":\"SN-nobody\",\"x\":" + number + ",\"evidence\":{\"x\":" + number + "}}");
            assertThat(reply.status()).as(number + ": " + reply).isEqualTo(400);
            ProblemAssert.assertAnyProblem(reply);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(Duration.ofSeconds(2)));
    }

    @Test
    void serialsAtTheEdgesOfTheSyntaxAreSerials() {
        String unique = RegistryUnderTest.unusedSerial().substring(3);
        String shortest = "%04x".formatted(System.nanoTime() & 0xffff);
        String longest = unique + "a".repeat(128 - unique.length());
        String odd = unique + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~";
        Reply loaded = registry.load("serial\n" + shortest + "\n" + longest + "\n\"" + odd + "\"\n");
        assertThat(loaded.json().path("accepted").asInt()).as(loaded.toString()).isEqualTo(3);

        for (String serial : List.of(shortest, longest, odd)) {
            assertThat(registry.register(serial).status()).as(serial).isEqualTo(200);
            assertThat(registry.devicesOf(serial)).hasSize(1);
        }
    }

    @Test
    void bodyOfSixtyFourKibibytesIsReadAndOneByteMoreIsNot() {
        byte[] most = padded(CAP);

        assertProblem(registry.post("register", JSON, most), 400, "registration-refused");
        for (String address : List.of("register", "fleets/default/register", "api/v1/operators", "introspect")) {
            String type = address.equals("introspect") ? RegistryUnderTest.FORM : JSON;
            assertProblem(
                    registry.post(address, type, padded(CAP + 1), registry.asOperator()), 413, "payload-too-large");
        }
    }

    private static byte[] padded(int length) {
        byte[] padded = new byte[length];
        Arrays.fill(padded, (byte) ' ');
        byte[] body = body("SN-nobody").getBytes(StandardCharsets.UTF_8);
        System.arraycopy(body, 0, padded, 0, body.length);
        return padded;
    }

    @Test
    void byteOrderMarkThatAnEditorWroteIsPassedOver() {
        byte[] body = ("\ufeff" + body(registry.expectedSerial())).getBytes(StandardCharsets.UTF_8);

        assertThat(registry.post("register", JSON, body).status()).isEqualTo(200);
    }

    @Test
    void bodyOfTwoHundredMegabytesIsRefusedAndHardlyRead() throws Exception {
        List<String> declared = List.of("Content-Length: " + HUGE);
        List<String> chunked = List.of("Transfer-Encoding: chunked");
        for (String address : List.of("/register", "/token")) {
            String type = address.equals("/token") ? RegistryUnderTest.FORM : JSON;
            for (List<String> framing : List.of(declared, chunked)) {
                AtomicLong sent = new AtomicLong();

                Reply reply = flood(address, type, framing.get(0), sent);

                if (registry.server().kind() == ServerKind.WILDFLY && framing == declared) {
                    // It has a limit of its own, of 10 MB.
                    assertThat(reply.status()).as(reply.toString()).isEqualTo(400);
                    continue;
                }
                if (address.equals("/token")) {
                    assertThat(reply.status()).as(reply.toString()).isEqualTo(413);
                    assertThat(reply.json().path("error").asText()).isEqualTo("invalid_request");
                } else {
                    assertProblem(reply, 413, "payload-too-large");
                }
                if (registry.server().kind() == ServerKind.MICRO) {
                    assertThat(sent.get())
                            .as("bytes taken of %s, %s", address, framing)
                            .isLessThan(MOST_READ);
                }
            }
        }
    }

    @Test
    void bodyThatNobodyAsksForIsNotReadEither() throws Exception {
        for (String address : List.of("/nowhere", "/introspect", "/api/v1/fleets/default/serials", "/register")) {
            AtomicLong sent = new AtomicLong();

            Reply reply = flood(address, "text/plain", "Content-Length: " + HUGE, sent);

            assertThat(reply.status()).as(reply.toString()).isBetween(400, 499);
            if (registry.server().kind() == ServerKind.MICRO) {
                ProblemAssert.assertAnyProblem(reply);
                assertThat(sent.get()).as("bytes taken of %s", address).isLessThan(MOST_READ);
            }
        }
    }

    /** Sends until the server closes the connection or has accepted clearly too much; counts the accepted bytes. */
    private Reply flood(String address, String type, String framing, AtomicLong sent) throws Exception {
        byte[] data = new byte[4096];
        Arrays.fill(data, (byte) ' ');
        byte[] chunk = ("1000\r\n" + new String(data, StandardCharsets.ISO_8859_1) + "\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        byte[] piece = framing.startsWith("Transfer") ? chunk : data;
        try (RawHttp http = new RawHttp(registry.base())) {
            http.write(("POST " + address + " HTTP/1.1\r\nHost: muster\r\nContent-Type: " + type + "\r\n" + framing
                            + "\r\n\r\n")
                    .getBytes(StandardCharsets.ISO_8859_1));
            Thread writer = new Thread(() -> {
                try {
                    while (sent.get() < 8 * MOST_READ) {
                        http.write(piece);
                        sent.addAndGet(piece.length);
                    }
                } catch (IOException closed) {
                    // The server has had enough.
                }
            });
            writer.start();
            Reply reply = http.reply(false);
            writer.join(Duration.ofSeconds(20).toMillis());
            return reply;
        }
    }

    @Test
    void clientThatOffersToUpgradeTheConnectionIsAnsweredAtOnce() {
        String serial = registry.expectedSerial();
        long started = System.nanoTime();

        Reply reply = registry.post("register", JSON, body(serial));
        java.net.http.HttpClient upgrading = java.net.http.HttpClient.newHttpClient();
        int status = upgrading
                .sendAsync(
                        java.net.http.HttpRequest.newBuilder(registry.base().resolve("register"))
                                .header("Content-Type", JSON)
                                .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body(serial)))
                                .build(),
                        java.net.http.HttpResponse.BodyHandlers.discarding())
                .join()
                .statusCode();

        assertThat(reply.status()).isEqualTo(200);
        assertThat(status).isEqualTo(200);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(Duration.ofSeconds(5)));
    }
}
