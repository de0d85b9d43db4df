// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.pattern;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PatternCheckTest {

    @ParameterizedTest
    @CsvSource({
        // Published examples. ISO/IEC 7812-1 annex B gives the method; this number is the common example of it.
        "LUHN, 79927398713",
        // 3GPP TS 23.003 annex B.3, and the example that GSMA's guidelines made common.
        "IMEI, 260531793113837",
        "IMEI, 49-015420-323751-8",
        // ISO/IEC 7064 itself: 079 and 0794. ORCID, structure of the identifier: the last two.
        "ISO7064_MOD11_2, 079X",
        "ISO7064_MOD11_2, 07940",
        "ISO7064_MOD11_2, 0000-0002-1825-0097",
        "ISO7064_MOD11_2, 0000-0002-1694-233X",
        // ISBT 128 donation number in annex 2 of the UK guidelines for transfusion services.
        "ISO7064_MOD37_2, G123498654321H",
        // ISO/IEC 7064 itself: 794. The example of a loan identifier in 12 CFR part 1003 appendix C. An LEI (ISO
        // 17442).
        "ISO7064_MOD97_10, 79444",
        "ISO7064_MOD97_10, 10BX939C5543TQA1144M999143X38",
        "ISO7064_MOD97_10, 5493000IBP32UQZ0KL24",
        // The example of IFPI's GRid standard.
        "ISO7064_MOD37_36, A1-2425G-ABC1234002-M",
        // The documentation range of RFC 7042.
        "MAC, 00:00:5E:00:53:01",
        "MAC, 00-00-5e-00-53-01",
        "MAC, 0000.5e00.5301",
        "MAC, 00005E005301",
        "MAC, 00:00:5E:EF:10:00:00:01",
        "MAC, 00-00-5E-EF-10-00-00-01",
        "MAC, 0000.5EEF.1000.0001",
        "MAC, 00005eef10000001"
    })
    void publishedExampleIsRight(PatternCheck check, String text) {
        assertThat(check.isRight(text)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(
            value = PatternCheck.class,
            names = {"NONE", "MAC"},
            mode = EnumSource.Mode.EXCLUDE)
    void everyOtherCharacterInAnyPlaceIsWrong(PatternCheck check) {
        String right =
                switch (check) {
                    case LUHN -> "79927398713";
                    case IMEI -> "260531793113837";
                    case ISO7064_MOD11_2 -> "000000021694233X";
                    case ISO7064_MOD37_2 -> "G123498654321H";
                    case ISO7064_MOD97_10 -> "79444";
                    case ISO7064_MOD37_36 -> "A12425GABC1234002M";
                    case NONE, MAC -> throw new IllegalStateException();
                };
        int wrong = 0;
        for (int i = 0; i < right.length(); i++) {
            for (char c = '!'; c < 0x7f; c++) {
                String changed = right.substring(0, i) + c + right.substring(i + 1);
                if (c != right.charAt(i) && c != '-') {
                    assertThat(check.isRight(changed)).as(changed).isFalse();
                    wrong++;
                }
            }
        }
        assertThat(wrong).isGreaterThan(400);
    }

    @ParameterizedTest
    @EnumSource(
            value = PatternCheck.class,
            names = {"NONE"},
            mode = EnumSource.Mode.EXCLUDE)
    void textsThatAreNothingLikeItAreWrong(PatternCheck check) {
        for (String text : List.of(
                "",
                "-",
                "0",
                "1",
                "X",
                "*",
                "----",
                "00",
                "\u0000",
                "\ud800",
                "é0",
                "１２３",
                "0".repeat(1000),
                "-".repeat(128))) {
            // Noughts alone are a right Luhn number of any length.
            if (check != PatternCheck.LUHN || !text.matches("00+")) {
                assertThat(check.isRight(text)).as(text).isFalse();
            }
        }
    }

    @Test
    void imeiWithoutCheckDigitAndImeisvAreWrong() {
        assertThat(PatternCheck.IMEI.isRight("26053179311383")).isFalse();
        assertThat(PatternCheck.IMEI.isRight("2605317931138300")).isFalse();
    }

    @Test
    void supplementaryCharacterMayOnlyBeTheLast() {
        assertThat(PatternCheck.ISO7064_MOD11_2.isRight("X79X")).isFalse();
        assertThat(PatternCheck.ISO7064_MOD37_2.isRight("*A12")).isFalse();
    }

    @Test
    void mixedSpellingsOfAnAddressAreWrong() {
        for (String text : List.of(
                "00:00:5E:00:53",
                "00:00-5E:00:53:01",
                "00:00:5E:00:53:01:",
                "0:0:5E:0:53:1",
                "00005E00530",
                "00005E0053010",
                "00:00:5E:00:53:0G",
                "0000:5e00:5301",
                "00:00:5E:00:53:01:00",
                "[00:00:5E:00:53:01]")) {
            assertThat(PatternCheck.MAC.isRight(text)).as(text).isFalse();
        }
    }
}
