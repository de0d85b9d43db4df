// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.unusedSerial;
import static io.muster.suite.fixture.RegistryUnderTest.unusedSerials;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.suite.fixture.ProblemAssert;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.Within;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Expected serials in bulk: good rows are kept, each bad one is reported, and importing the same file again changes
 * nothing.
 */
public interface ImportContract {

    RegistryUnderTest registry();

    private boolean isExpected(String serial) {
        return registry().register(serial).status() == 200;
    }

    private JsonNode loaded(String type, byte[] body) {
        Reply reply = registry().load("default", type, body);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.json();
    }

    private JsonNode loaded(String type, String body) {
        return loaded(type, body.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Long> badRows(JsonNode result) {
        List<Long> rows = new ArrayList<>();
        for (JsonNode error : result.path("errors")) {
            rows.add(error.path("row").asLong());
            assertThat(error.path("reason").asText()).isNotBlank();
        }
        return rows;
    }

    @Test
    default void tenThousandSerialsLoadInOneRequestAndAgain() {
        List<String> serials = unusedSerials(10_000);
        String csv = "serial\n" + String.join("\n", serials) + "\n";

        for (int time = 0; time < 2; time++) {
            JsonNode result = loaded(CSV, csv);

            assertThat(result.path("read").asInt()).isEqualTo(10_000);
            assertThat(result.path("accepted").asInt()).isEqualTo(10_000);
            assertThat(result.path("rejected").asInt()).isZero();
            assertThat(result.path("complete").booleanValue()).isTrue();
            assertThat(result.path("errors")).isEmpty();
        }
        assertThat(isExpected(serials.get(0))).isTrue();
        assertThat(isExpected(serials.get(9_999))).isTrue();
    }

    @Test
    default void loadingASerialAgainDoesNotTouchItsDevice() {
        RegistryUnderTest.Registered device = registry().newDevice();
        String token = registry().accessToken(device);

        registry().expect(device.serial());

        assertThat(registry().isActive(token)).isTrue();
        assertThat(registry().devicesOf(device.serial())).hasSize(1);
        assertThat(registry().register(device.serial()).status()).isNotEqualTo(200);
    }

    @Test
    default void badRowsAreNamedAndGoodOnesKept() {
        List<String> good = unusedSerials(3);
        String csv = String.join(
                "\r\n",
                "serial,name",
                good.get(0) + ",\"Pump, the \"\"first\"\"\"",
                "ab,too short",
                ",no serial",
                good.get(1) + ",second",
                "has blank,x",
                "SN-\u00c4bc1,x",
                good.get(1) + "x,one field,too many",
                "SN-abc1 ,x",
                good.get(2) + "," + "n".repeat(201),
                good.get(2) + ",third");

        JsonNode result = loaded(CSV, csv);

        assertThat(badRows(result)).containsExactly(3L, 4L, 6L, 7L, 8L, 9L, 10L);
        assertThat(result.path("read").asInt()).isEqualTo(10);
        assertThat(result.path("accepted").asInt()).isEqualTo(3);
        assertThat(result.path("rejected").asInt()).isEqualTo(7);
        assertThat(good).allMatch(this::isExpected);
        assertThat(registry().devicesOf(good.get(0)).get(0).path("name").asText())
                .isEqualTo("Pump, the \"first\"");
    }

    @Test
    default void jsonArrayLoadsAsCsvDoes() {
        List<String> good = unusedSerials(2);

        JsonNode result = loaded(
                JSON,
                """
                [{"serial": "%s", "name": "P\u00fcmpe", "lot": "L9", "tags": {"colour": "red"}, "attributes": {"t": 21.5, "on": true}},
                 {"serial": 17}, "text", {"name": "none"}, {"serial": "ab"}, {"serial": "%s", "unknown": 1},
                 {"serial": "%s"}]
                """
                        .formatted(good.get(0), good.get(1), good.get(1)));

        assertThat(badRows(result)).containsExactly(2L, 3L, 4L, 5L, 6L);
        assertThat(result.path("accepted").asInt()).isEqualTo(2);
        assertThat(result.path("complete").booleanValue()).isTrue();
        assertThat(good).allMatch(this::isExpected);
        JsonNode device = registry().devicesOf(good.get(0)).get(0);
        assertThat(device.path("name").asText()).isEqualTo("P\u00fcmpe");
        assertThat(device.path("tags").path("colour").asText()).isEqualTo("red");
        assertThat(device.path("tags").path("lot").asText()).isEqualTo("L9");
        assertThat(device.path("attributes").path("t").decimalValue()).isEqualByComparingTo("21.5");
        assertThat(device.path("attributes").path("on").booleanValue()).isTrue();
    }

    @Test
    default void jsonArrayThatBreaksInTheMiddleKeepsWhatCameBefore() {
        List<String> good = unusedSerials(3);
        String rows =
                good.stream().map(serial -> "{\"serial\":\"" + serial + "\"}").collect(Collectors.joining(","));

        for (String broken : List.of("[" + rows, "[" + rows + ",{\"ser", "[" + rows + " x", "[" + rows + "] {}")) {
            JsonNode result = loaded(JSON, broken);

            assertThat(result.path("complete").booleanValue()).as(broken).isFalse();
            assertThat(result.path("accepted").asInt()).as(broken).isEqualTo(3);
            assertThat(result.path("errors")).as(broken).hasSize(1);
        }
        assertThat(good).allMatch(this::isExpected);
    }

    @Test
    default void wrongHeaderIsOneAnswerWithEveryFault() {
        String serial = unusedSerial();

        Reply reply = registry().load("serail,name,name,tags.,x\n" + serial + ",a,b,c,d\n");

        assertProblem(reply, 400, "invalid-request");
        // No serial, a name twice, and three that are no columns.
        assertThat(ProblemAssert.pointers(reply)).hasSize(5);
        assertThat(isExpected(serial)).isFalse();
    }

    @Test
    default void textThatIsNotUtf8StopsThereAndSaysSo() {
        String serial = unusedSerial();
        byte[] latin = ("serial,name\n" + serial + ",P\u00fcmpe\n").getBytes(StandardCharsets.ISO_8859_1);

        JsonNode result = loaded(CSV, latin);

        assertThat(result.path("complete").booleanValue()).isFalse();
        assertThat(result.path("errors").get(0).path("reason").asText()).contains("UTF-8");
        assertThat(isExpected(serial)).isFalse();
    }

    @Test
    default void emptyBodiesAndOtherTypesAreRefused() {
        assertProblem(registry().load("default", CSV, new byte[0]), 400, "invalid-request");
        assertProblem(registry().load("default", JSON, new byte[0]), 400, "invalid-request");
        assertProblem(registry().load("default", JSON, "{}".getBytes(StandardCharsets.UTF_8)), 400, "invalid-request");
        assertProblem(
                registry().load("default", "text/plain", "serial\nSN-1234\n".getBytes(StandardCharsets.UTF_8)),
                415,
                "unsupported-media-type");
        assertProblem(
                registry()
                        .post(
                                "api/v1/fleets/default/serials",
                                CSV,
                                "serial\nSN-1234\n",
                                "Authorization",
                                "Bearer " + registry().operatorToken(),
                                "Content-Encoding",
                                "gzip"),
                415,
                "unsupported-media-type");
        assertProblem(registry().load("nowhere", CSV, "serial\n".getBytes(StandardCharsets.UTF_8)), 404, "not-found");
    }

    @Test
    default void byteOrderMarkOfASpreadsheetDoesNotMatter() {
        String serial = unusedSerial();

        JsonNode result = loaded(CSV, "\ufeffserial\n" + serial + "\n");

        assertThat(result.path("accepted").asInt()).isEqualTo(1);
        assertThat(isExpected(serial)).isTrue();
    }

    @Test
    default void jsonMayBeginWithAByteOrderMark() {
        String serial = unusedSerial();

        JsonNode result = loaded(JSON, "\ufeff[{\"serial\":\"" + serial + "\"}]");

        assertThat(result.path("accepted").asInt()).isEqualTo(1);
        assertThat(registry().register(serial).status()).isEqualTo(200);
    }

    @Test
    default void bodiesMayBeginWithAByteOrderMarkAndUtf16IsNamed() {
        String serial = unusedSerial();
        registry().expect(serial);

        Reply utf16 = registry()
                .post(
                        "register",
                        JSON,
                        ("\ufeff" + RegistryUnderTest.body(serial)).getBytes(StandardCharsets.UTF_16LE));
        assertProblem(utf16, 400, "invalid-request");
        assertThat(utf16.text()).contains("UTF-16");
        assertThat(registry()
                        .post("register", JSON, "\ufeff" + RegistryUnderTest.body(serial))
                        .status())
                .isEqualTo(200);
        assertThat(registry()
                        .post(
                                "api/v1/fleets/default/serials/" + serial + "/block",
                                JSON,
                                "\ufeff{\"reason\":\"marked\"}",
                                registry().asOperator())
                        .json()
                        .path("reason")
                        .asText())
                .isEqualTo("marked");
    }

    @Test
    default void whatASpreadsheetMadeOfSerialsIsNamed() {
        String serial = unusedSerial();

        JsonNode result = loaded(
                CSV, "sep=;\r\nSerial;Name;\r\n" + serial + ";a;\r\n" + serial + ";b;\r\n;;\r\n3.56938E+14;c;\r\n");

        assertThat(badRows(result)).containsExactly(3L);
        assertThat(result.path("repeated").asInt()).isEqualTo(1);
        assertThat(result.path("warnings").get(0).path("row").asInt()).isEqualTo(5);
        assertThat(result.path("warningsOmitted").asInt()).isZero();
        assertThat(result.path("complete").booleanValue()).isTrue();
    }

    @Test
    default void importsAreOnRecord() {
        String id =
                loaded(CSV, "serial\n" + unusedSerial() + "\nx\n").path("id").asText();
        String imports = "api/v1/fleets/default/imports";

        JsonNode one =
                registry().get(imports + "/" + id, registry().asOperator()).json();
        JsonNode newest =
                registry().get(imports + "?limit=1", registry().asOperator()).json();

        assertThat(one.path("state").asText()).isEqualTo("complete");
        assertThat(one.path("accepted").asInt()).isEqualTo(1);
        assertThat(one.path("rejected").asInt()).isEqualTo(1);
        assertThat(one.path("startedAt").asText()).endsWith("Z");
        assertThat(one.path("endedAt").asText()).endsWith("Z");
        assertThat(newest.path("imports")).hasSize(1);
        assertThat(newest.path("next").asText()).isNotEmpty();
        assertProblem(registry().get(imports + "/" + "0".repeat(32), registry().asOperator()), 404, "not-found");
        assertProblem(registry().get(imports + "/x", registry().asOperator()), 404, "not-found");
        assertProblem(registry().get(imports), 401, "unauthorized");
    }

    @Test
    default void importWhoseClientLeavesIsOnRecordAsCutOff() throws Exception {
        List<String> serials = unusedSerials(3);
        String operator = "leaver " + serials.get(0);
        String token = registry()
                .post(
                        "api/v1/operators",
                        JSON,
                        "{\"name\":\"" + operator + "\",\"rights\":[\"serials:write\"]}",
                        registry().asOperator())
                .json()
                .path("token")
                .asText();
        // Blank lines are no rows. Open Liberty may keep the first few bytes of a body to itself until more follow.
        byte[] start = ("serial\n" + String.join("\n", serials) + "\n".repeat(100_000) + "SN-")
                .getBytes(StandardCharsets.UTF_8);

        try (RawHttp http = new RawHttp(registry().base())) {
            http.write(("POST /api/v1/fleets/default/serials HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
                            + "Authorization: Bearer " + token + "\r\nContent-Length: 200000\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            http.write(start);
            // Open Liberty may pass nothing of the body to the application once the client has disconnected.
            awaitImport(operator, entry -> entry.path("state").asText().equals("running"));
        }

        awaitImport(
                operator,
                entry -> entry.path("state").asText().equals("cut-off")
                        && entry.path("accepted").asInt() == 3);
    }

    private void awaitImport(String operator, Predicate<JsonNode> condition) throws Exception {
        Within.within(Duration.ofSeconds(30), "an import of " + operator, () -> {
            for (JsonNode entry : registry()
                    .get("api/v1/fleets/default/imports", registry().asOperator())
                    .json()
                    .path("imports")) {
                if (entry.path("operator").asText().equals(operator) && condition.test(entry)) {
                    return true;
                }
            }
            return false;
        });
    }
}
