// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.json.Json;
import io.muster.spi.SerialNumber;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class SerialNumberFuzzTest {

    static Stream<byte[]> texts() {
        return FuzzInput.utf8(
                "SN-0001", "abc", "a".repeat(128), "a".repeat(129), "SN 0001", "SN-0001\n", "\u0130N-0001", "~~~!");
    }

    @MethodSource("texts")
    @FuzzTest
    void textIsASerialByteForByteOrNone(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        boolean follows = text.matches("[!-~]{1,128}");

        assertThat(SerialNumber.isValid(text)).isEqualTo(follows);
        try {
            SerialNumber serial = new SerialNumber(text);
            assertThat(follows).isTrue();
            assertThat(serial.value().getBytes(StandardCharsets.US_ASCII)).isEqualTo(bytes);
            assertThat(serial.toString()).isEqualTo(text);
            assertThat(serial.compareTo(new SerialNumber(new String(bytes, StandardCharsets.US_ASCII))))
                    .isZero();
            assertThat(Json.parse(Json.bytes(text)).textValue()).isEqualTo(text);
        } catch (IllegalArgumentException e) {
            assertThat(follows).isFalse();
            assertThat(e).hasMessage("a serial is 1 to 128 printable ASCII characters without blanks");
        }
    }
}
