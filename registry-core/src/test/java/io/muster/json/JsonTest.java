// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "}",
                "{\"serial\"}",
                "{\"serial\":}",
                "{\"serial\":\"a\",}",
                "{\"serial\":\"a\" \"b\":1}",
                "{serial:\"a\"}",
                "{'serial':'a'}",
                "{\"serial\":\"a\"}{}",
                "{\"serial\":\"a\"} x",
                "{\"serial\":\"a\"}]",
                "{\"serial\":\"a\",\"serial\":\"b\"}",
                "{\"a\":{\"b\":1,\"b\":2}}",
                "{\"serial\":\"a\u0001\"}",
                "{\"serial\":\"a\\x\"}",
                "{\"serial\":\"\\ud80\"}",
                "{\"n\":01}",
                "{\"n\":+1}",
                "{\"n\":.5}",
                "{\"n\":1.}",
                "{\"n\":NaN}",
                "{\"n\":Infinity}",
                "// comment\n{}",
                "/* comment */{}",
                "\ufeff{}",
                "nul"
            })
    void whatIsNotStrictJsonIsMalformed(String text) {
        assertThatThrownBy(() -> Json.parse(utf8(text))).isInstanceOf(MalformedJsonException.class);
    }

    @Test
    void whatIsNotUtf8IsMalformed() {
        for (byte[] text : new byte[][] {
            {'"', (byte) 0xe4, '"'},
            {'"', (byte) 0xc0, (byte) 0xaf, '"'},
            {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'},
            "{}".getBytes(StandardCharsets.UTF_16LE),
            "{}".getBytes(StandardCharsets.UTF_16)
        }) {
            assertThatThrownBy(() -> Json.parse(text)).isInstanceOf(MalformedJsonException.class);
        }
    }

    @Test
    void thirtyTwoLevelsAreReadAndNotOneMore() {
        Json.parse(utf8("[".repeat(32) + "]".repeat(32)));

        assertThatThrownBy(() -> Json.parse(utf8("[".repeat(33) + "]".repeat(33))))
                .isInstanceOf(MalformedJsonException.class)
                .hasMessageContaining("deeper than 32 levels");
        assertThatThrownBy(() -> Json.parse(utf8("[".repeat(100_000)))).isInstanceOf(MalformedJsonException.class);
    }

    @Test
    void hugeNumbersAreRefusedOrHarmless() {
        assertThatThrownBy(() -> Json.parse(utf8("{\"n\":" + "9".repeat(101) + "}")))
                .isInstanceOf(MalformedJsonException.class);
        assertThatThrownBy(() -> Json.parse(utf8("{\"n\":1e99999999999}"))).isInstanceOf(MalformedJsonException.class);
        assertThat(Json.parse(utf8("{\"n\":1e999999999}")).get("n").isNumber()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"11E+2147483647", "-1e-2147483647", "0.1e2147483647", "1e1000000000", "10e999999999"})
    void numberThatCouldNotBeReadAgainIsRefused(String number) {
        assertThatThrownBy(() -> Json.parse(utf8("[" + number + "]")))
                .isInstanceOf(MalformedJsonException.class)
                .hasMessage("a number with too large an exponent");
    }

    @Test
    void messageSaysWhatIsWrongAndRepeatsNothingOfTheText() {
        assertThatThrownBy(() -> Json.parse(utf8("{\"serial\":\"geheim\",\"serial\":\"geheim2\"}")))
                .hasMessageContaining("twice")
                .hasMessageNotContaining("geheim");
        assertThatThrownBy(() -> Json.parse(utf8("{\"serial\": geheim}"))).hasMessageNotContaining("geheim");
        assertThatThrownBy(() -> Json.parse(utf8("{\"serial\":\"a\"} geheim"))).hasMessageNotContaining("geheim");
    }

    @Test
    void recordsAreWrittenWithoutNullsAndInstantsAsIso() {
        record Sample(String text, String absent, Instant at) {}

        assertThat(Json.text(new Sample("a\u00e4", null, Instant.EPOCH)))
                .isEqualTo("{\"text\":\"a\u00e4\",\"at\":\"1970-01-01T00:00:00Z\"}");
    }

    @Test
    void storedMapComesBack() {
        assertThat(Json.stored(Json.text(Map.of("n", 21.5, "t", "x", "b", true))))
                .containsEntry("t", "x")
                .containsEntry("b", true);
        assertThat(Json.stored(null)).isEmpty();
    }
}
