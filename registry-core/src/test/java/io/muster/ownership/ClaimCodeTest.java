// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClaimCodeTest {

    // The number 1 has the check symbol 1.
    private static final String ONE = "00000-00000-00000-00001-1";

    private static byte[] hash(String text) {
        return ClaimCode.of(text).orElseThrow().hash();
    }

    @Test
    void codeForALabelHasTwentySymbolsAndACheckThatIsALetterOrDigit() {
        assertThat(Stream.generate(ClaimCode::make).limit(500))
                .allSatisfy(code -> {
                    assertThat(code.text()).matches("([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]");
                    assertThat(code.isLong()).isTrue();
                    assertThat(ClaimCode.of(code.text())).contains(code);
                })
                .doesNotHaveDuplicates();
    }

    @Test
    void codeForADisplayHasEightSymbolsAndACheck() {
        assertThat(Stream.generate(ClaimCode::makeShort).limit(500)).allSatisfy(code -> {
            assertThat(code.text()).matches("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]");
            assertThat(code.isLong()).isFalse();
            assertThat(ClaimCode.of(code.text())).contains(code);
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00000-00000-00000-00001-1",
                "000000000000000000011",
                "ooooo-ooooo-ooooo-oooo1-l",
                "OOOOO OOOOO OOOOO OOOOI I",
                "  00000\u201300000\u201400000\u00a000001 \t- 1  ",
                "00000-00000-00000-0000L-i"
            })
    void codeIsReadAsPeopleWriteIt(String text) {
        assertThat(ClaimCode.fault(text)).isEmpty();
        assertThat(hash(text)).isEqualTo(hash(ONE));
    }

    @Test
    void caseDoesNotMatter() {
        ClaimCode code = ClaimCode.make();

        assertThat(ClaimCode.of(code.text().toLowerCase(Locale.ROOT))).contains(code);
    }

    @Test
    void hashIsThatOfTheSymbolsAlone() {
        // printf 000000000000000000011 | sha256sum
        assertThat(HexFormat.of().formatHex(hash(ONE)))
                .isEqualTo("94e53b2a97cfa52400e5ecf7062cabf793df1d590af8a7245168af751a2a8b19");
    }

    @Test
    void everyWrongSymbolAndEverySwapIsNoticed() {
        String code = ClaimCode.make().text().replace("-", "");
        for (int i = 0; i < code.length(); i++) {
            for (char other : "0123456789ABCDEFGHJKMNPQRSTVWXYZ".toCharArray()) {
                if (other != code.charAt(i)) {
                    assertThat(ClaimCode.fault(code.substring(0, i) + other + code.substring(i + 1)))
                            .contains(ClaimCode.MISTYPED);
                }
            }
            if (i > 0 && i < code.length() - 1 && code.charAt(i) != code.charAt(i - 1)) {
                assertThat(ClaimCode.fault(
                                code.substring(0, i - 1) + code.charAt(i) + code.charAt(i - 1) + code.substring(i + 1)))
                        .contains(ClaimCode.MISTYPED);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ABCD-EFGH-X", "UUUUUUUUU", "00000-00000-00000-0000U-0", "000000001"})
    void codeOfOurLengthWithoutOurCheckIsMistyped(String text) {
        // The last one has the right check of 00000000, which is 0.
        assertThat(ClaimCode.fault(text)).contains(ClaimCode.MISTYPED);
        assertThat(ClaimCode.of(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"UVWX", "1234", "ab-12", "a b c d e", "SN 1234 5678 90"})
    void codesOfFactoriesAreAnyLettersAndDigits(String text) {
        assertThat(ClaimCode.fault(text)).isEmpty();
    }

    @Test
    void codesOfFactoriesHaveFourToSixtyFourSymbols() {
        assertThat(ClaimCode.fault("A".repeat(3))).isPresent();
        assertThat(ClaimCode.fault("A".repeat(4))).isEmpty();
        assertThat(ClaimCode.fault("A".repeat(64))).isEmpty();
        assertThat(ClaimCode.fault("A".repeat(65))).isPresent();
        assertThat(ClaimCode.fault("A-".repeat(64))).isEmpty();
        assertThat(ClaimCode.fault(" ".repeat(500) + "ABCD")).isPresent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "   ", "----", "abc", "ab*d", "ab_cd", "\u00c4BCD", "\u0661234", "abcd\u0000", "ab.cd"})
    void otherTextsAreNoCodesAndAreNotRepeated(String text) {
        assertThat(ClaimCode.fault(text)).contains("must be " + ClaimCode.SYNTAX);
        assertThat(ClaimCode.of(text)).isEmpty();
    }

    @Test
    void textIsHidden() {
        ClaimCode code = ClaimCode.make();

        assertThat(code.toString()).isEqualTo("claim code of 21 symbols");
    }
}
