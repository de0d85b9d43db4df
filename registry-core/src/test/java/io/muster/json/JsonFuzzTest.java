// SPDX-License-Identifier: Apache-2.0
package io.muster.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.FuzzInput;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class JsonFuzzTest {

    /** A number written as 1e0 comes back as 1. */
    private static final Comparator<JsonNode> BY_VALUE = (one, other) -> one.isNumber() && other.isNumber()
            ? one.decimalValue().compareTo(other.decimalValue())
            : one.equals(other) ? 0 : 1;

    static Stream<byte[]> texts() {
        return FuzzInput.utf8(
                "{'serial':'SN-0001','evidence':{'a':[1,-2.5e3,true,null,'\\u00e4\\n']}}",
                "{'a':1,'a':2}",
                "[".repeat(Json.MAX_DEPTH) + "]".repeat(Json.MAX_DEPTH),
                "[".repeat(100_000),
                "[1e999999999,1e-999999999,-0,-0.0,0e0,1e0]",
                "[11E+2147483647]",
                "9".repeat(101),
                "'\\ud83d\\ude00\\ud83d'",
                "\ufeff{}",
                "null",
                "");
    }

    @MethodSource("texts")
    @FuzzTest
    void textIsMalformedOrOneValueWithoutLossThatRoundTrips(byte[] utf8) {
        JsonNode value;
        try {
            value = Json.parse(utf8);
        } catch (MalformedJsonException e) {
            FuzzInput.assertMayBeLogged(e.getMessage());
            return;
        }
        String text = new String(utf8, StandardCharsets.UTF_8);

        assertThat(text.getBytes(StandardCharsets.UTF_8)).isEqualTo(utf8);
        assertThat(depth(value)).isLessThanOrEqualTo(Json.MAX_DEPTH);
        assertThat(members(value)).isEqualTo(colonsOutsideTexts(text));
        assertThat(value.equals(BY_VALUE, Json.parse(Json.bytes(value)))).isTrue();
        if (value.isObject()) {
            assertThat(Json.parseObject(utf8)).hasSize(value.size());
        }
    }

    private static int depth(JsonNode value) {
        int deepest = 0;
        for (JsonNode child : value) {
            deepest = Math.max(deepest, depth(child));
        }
        return value.isContainerNode() ? deepest + 1 : 0;
    }

    private static long members(JsonNode value) {
        long members = value.isObject() ? value.size() : 0;
        for (JsonNode child : value) {
            members += members(child);
        }
        return members;
    }

    /** Counts one for each member, including one that a reader skips because there is another of its name. */
    private static long colonsOutsideTexts(String json) {
        long colons = 0;
        boolean inText = false;
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (inText && c == '\\') {
                i++;
            } else if (c == '"') {
                inText = !inText;
            } else if (c == ':' && !inText) {
                colons++;
            }
        }
        return colons;
    }
}
