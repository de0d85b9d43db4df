// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.spi.SerialNumber;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SerialFormTest {

    private static final SerialForm ANY = SerialForm.of(List.of(), true);

    private static SerialForm form(String... rules) {
        assertThat(SerialForm.fault(List.of(rules))).isEmpty();
        return SerialForm.of(List.of(rules), false);
    }

    private static String of(SerialForm form, String text) {
        return form.of(text).map(SerialNumber::value).orElse(null);
    }

    @Test
    void withoutRulesASerialIsAsItIsSpelled() {
        assertThat(of(SerialForm.EXACT, "sn-0001")).isEqualTo("sn-0001");
        assertThat(of(SerialForm.EXACT, "00:11:22:aa:bb:cc")).isEqualTo("00:11:22:aa:bb:cc");
        assertThat(SerialForm.EXACT.of("SN1")).isEmpty();
        assertThat(SerialForm.EXACT.of(" SN-0001")).isEmpty();
        assertThat(SerialForm.EXACT.of(null)).isEmpty();
        assertThat(SerialForm.EXACT.names("sn-0001", new SerialNumber("SN-0001")))
                .isFalse();
        assertThat(SerialForm.of(List.of(), false)).isSameAs(SerialForm.EXACT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    upper                          | sn-0001               | SN-0001
                    mac                            | 00:11:22:aa:bb:cc     | 001122AABBCC
                    mac                            | 00-11-22-AA-BB-CC     | 001122AABBCC
                    mac                            | 0011.22aa.bbcc        | 001122AABBCC
                    mac                            | 001122AABBCC          | 001122AABBCC
                    mac                            | 00:11:22:ff:fe:aa:bb:cc | 001122FFFEAABBCC
                    mac                            | no-address            | no-address
                    mac                            | 00:11-22:aa:bb:cc     | 00:11-22:aa:bb:cc
                    trim                           | ' SN-0001\u00a0'      | SN-0001
                    trim;mac                       | ' 00:11:22:aa:bb:cc ' | 001122AABBCC
                    pattern:SN-([0-9]+)(?:-.*)?    | SN-0001-x             | 0001
                    pattern:SN-([0-9]+)(?:-.*)?    | 0001                  | 0001
                    pattern:(.+)-x                 | SN-1-x-x              | SN-1
                    upper;pattern:SN-([0-9]+)      | sn-0001               | 0001
                    pattern:SN-(.+);trim           | 'SN- 0001'            | 0001
                    trim;pattern:SN-(.+)           | 'SN- 0001'            | 0001
                    """)
    void rulesAreAppliedInTheirOrder(String rules, String text, String serial) {
        SerialForm form = form(rules.split(";"));
        assertThat(of(form, text)).isEqualTo(serial);
        assertThat(of(form, serial)).isEqualTo(serial);
        assertThat(form.presented(text)).contains(new SerialNumber(serial));
        assertThat(form.names(text, new SerialNumber(serial))).isTrue();
        assertThat(form.names("9" + text, new SerialNumber(serial))).isFalse();
    }

    @Test
    void whatTheRulesMakeMustBeASerial() {
        assertThat(form("pattern:SN-([0-9]+)").of("SN-1")).isEmpty();
        assertThat(form("upper").of("sn 0001")).isEmpty();
        assertThat(form("trim").of("    ")).isEmpty();
        assertThat(form("trim").of("x".repeat(1000))).isEmpty();
        assertThat(of(form("pattern:(.*)0"), "SN-0001000")).isEqualTo("SN-0001");
        assertThat(form("pattern:(.*)0").of("SN-0001" + "0".repeat(100))).isEmpty();
        assertThat(form("upper").syntax())
                .isEqualTo("4 to 128 printable ASCII characters without blanks, after the fleet's rules upper");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "lower",
                "pattern",
                "pattern:",
                "pattern:SN-.*",
                "pattern:(a)(b)",
                "pattern:(",
                "pattern:(x{999}{999})"
            })
    void ruleThatMeansNothingIsAFault(String rule) {
        assertThat(SerialForm.fault(List.of("trim", rule))).isPresent();
    }

    @Test
    void rulesAndExpressionsAreBounded() {
        assertThat(SerialForm.fault(List.of("trim", "upper", "mac", "pattern:(a)", "pattern:(b)")))
                .isPresent();
        assertThat(SerialForm.fault(List.of("pattern:(" + "a".repeat(1000) + ")")))
                .isPresent();
        assertThat(SerialForm.fault(List.of("pattern:((?:a{100}){100})"))).isPresent();
    }

    @Test
    void theFormOfAFormIsTheForm() {
        Random random = new Random(1);
        String letters = "aA0:-. %~\u00e9\u00a0";
        List<SerialForm> forms = List.of(
                form("upper"),
                form("trim", "mac"),
                form("pattern:a(.*)", "trim", "upper"),
                form("pattern:(.*)0", "mac"),
                ANY,
                SerialForm.of(List.of("trim", "upper", "pattern:A(.*)"), true));
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(20); length >= 0; length--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            for (SerialForm form : forms) {
                form.of(text.toString())
                        .ifPresent(serial -> assertThat(form.of(serial.value())).contains(serial));
                form.presented(text.toString())
                        .ifPresent(serial -> assertThat(form.of(serial.value())).contains(serial));
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    7, 7
                    SN-0001, SN-0001
                    50%, 50%
                    AB%20, AB%20
                    'Pump 7', %%Pump%207
                    ' ', %%%20
                    'caf\u00e9', %%caf%C3%A9
                    '100% \u00e9', %%100%25%20%C3%A9
                    %%Pump%207, %%%25%25Pump%25207
                    """)
    void everyTextIsASerialWhereTheFleetTakesAny(String text, String serial) {
        assertThat(ANY.presented(text)).contains(new SerialNumber(serial));
        assertThat(of(ANY, serial)).isEqualTo(serial);
        assertThat(ANY.shown(new SerialNumber(serial))).isEqualTo(text);
    }

    @Test
    void noTwoTextsAreOneSerialWhereTheFleetTakesAny() {
        List<String> texts = List.of(
                "Pump 7",
                "Pump%207",
                "%%Pump%207",
                "%%Pump%25207",
                "Pump  7",
                "Pump\t7",
                "pump 7",
                "Pump\u00a07",
                "\u00e9",
                "e\u0301",
                "%%",
                "%%%25%25",
                "%",
                "\u00e9".repeat(127),
                "\u00e9".repeat(128),
                "\u00e9".repeat(127) + "e");

        assertThat(texts.stream().map(text -> ANY.presented(text).orElseThrow()).distinct())
                .hasSameSizeAs(texts)
                .allSatisfy(serial -> assertThat(ANY.of(serial.value())).contains(serial));
        assertThat(ANY.presented("\u00e9".repeat(128)).orElseThrow().value())
                .startsWith("%%%C3%A9")
                .contains("%~")
                .hasSizeLessThanOrEqualTo(128);
        assertThat(ANY.presented("x".repeat(129))).isEmpty();
        assertThat(ANY.presented("")).isEmpty();
        assertThat(ANY.presented("a\u0000b")).isEmpty();
        assertThat(ANY.presented("a\ud800")).isEmpty();
    }

    @Test
    void serialThatOnlyLooksLikeATextIsShownAsItIs() {
        for (String serial : List.of("%%", "%%Pump%2", "%%Pump%zz", "%%Pump%41", "%%%C3", "%%a%~00")) {
            assertThat(ANY.shown(new SerialNumber(serial))).isEqualTo(serial);
        }
        assertThat(SerialForm.EXACT.shown(new SerialNumber("%%Pump%207"))).isEqualTo("%%Pump%207");
    }

    @ParameterizedTest
    @CsvSource({
        "SN-0001, sn-0001",
        "sn0001, SN-0001",
        "SN_0001, SN-0001",
        "SN-0001, SN0001",
        "001122AABBCC, 00:11:22:aa:bb:cc",
        "00-11-22-AA-BB-CC, 001122aabbcc",
        "00:11:22:aa:bb:cc, 0011.22AA.BBCC"
    })
    void spellingsOfASerialAreFewAndHaveWhatPeopleWrite(String text, String listed) {
        assertThat(SerialForm.spellings(text))
                .contains(listed)
                .doesNotContain(text)
                .hasSizeLessThan(50);
    }

    @Test
    void formsOfTheSameRulesAreEqual() {
        assertThat(form("trim", "mac")).isEqualTo(form("trim", "mac")).hasSameHashCodeAs(form("trim", "mac"));
        assertThat(form("mac", "trim")).isNotEqualTo(form("trim", "mac"));
        assertThat(ANY).isNotEqualTo(SerialForm.EXACT);
    }
}
