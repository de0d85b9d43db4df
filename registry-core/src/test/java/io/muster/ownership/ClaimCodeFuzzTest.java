// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.FuzzInput;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class ClaimCodeFuzzTest {

    static Stream<byte[]> texts() {
        return FuzzInput.utf8(
                "00000-00000-00000-00000-0",
                "0000-0000-0",
                "oooo oooo o",
                "ABCD-EFGH-X",
                "abc",
                "a-b-c-d",
                "A".repeat(64),
                "A".repeat(65),
                "\u0130BCD",
                "*~$=U",
                "\ud83d\ude00ABCD");
    }

    @MethodSource("texts")
    @FuzzTest
    void textIsACodeInEverySpellingOfItOrHasAFault(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);

        Optional<ClaimCode> code = ClaimCode.of(text);

        assertThat(code.isPresent()).isEqualTo(ClaimCode.fault(text).isEmpty());
        code.ifPresent(read -> {
            assertThat(read.text()).matches("[0-9A-Z-]{4,80}");
            assertThat(ClaimCode.of(read.text())).contains(read);
            assertThat(ClaimCode.of(read.text().toLowerCase(Locale.ROOT).replace("-", " ")))
                    .contains(read);
            assertThat(read.toString()).doesNotContain(read.text());
            assertThat(read.hash()).hasSize(32);
        });
        ClaimCode.fault(text).ifPresent(FuzzInput::assertMayBeLogged);
    }
}
