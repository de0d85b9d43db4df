package io.muster.suite;

import static io.muster.suite.ProblemAssert.assertProblem;
import static io.muster.suite.RegistryUnderTest.CSV;
import static io.muster.suite.RegistryUnderTest.JSON;
import static io.muster.suite.RegistryUnderTest.unusedSerial;
import static io.muster.suite.RegistryUnderTest.unusedSerials;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Expected serials in bulk: good rows are kept, each bad one is named, and the same file again changes nothing. */
interface ImportContract {

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
}
