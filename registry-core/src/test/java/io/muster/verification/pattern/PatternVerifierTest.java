// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.pattern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PatternVerifierTest implements SerialVerifierContract {

    private static PatternVerifier with(Map<String, String> settings) {
        Settings read = Settings.of("", key -> Optional.ofNullable(settings.get(key)));
        PatternVerifier verifier = new PatternVerifier(read);
        read.check(settings.keySet());
        return verifier;
    }

    private static Verdict verdict(Map<String, String> settings, String serial) {
        return with(settings).verify(Candidates.withSerial(serial));
    }

    @Override
    public SerialVerifier verifier() {
        return with(Map.of("pattern", "SN-[0-9]{4}"));
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.empty();
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withSerial("SN-12345");
    }

    @Test
    void serialOfTheRightFormIsUnknownAndAnyOtherRefused() {
        assertThat(verifierSays("SN-1234")).isEqualTo(Verdict.unknown());
        for (String wrong : List.of("SN-123", "SN-12345", "xSN-1234", "sn-1234", "SN-123A", "SN-1234\\n")) {
            assertThat(verifierSays(wrong)).as(wrong).isInstanceOf(Verdict.Refused.class);
        }
    }

    private static Verdict verifierSays(String serial) {
        return verdict(Map.of("pattern", "SN-[0-9]{4}"), serial);
    }

    @Test
    void alternativesAreAnchoredTogether() {
        assertThat(verdict(Map.of("pattern", "AAAA|BBBB"), "AAAAx")).isInstanceOf(Verdict.Refused.class);
        assertThat(verdict(Map.of("pattern", "AAAA|BBBB"), "xBBBB")).isInstanceOf(Verdict.Refused.class);
        assertThat(verdict(Map.of("pattern", "AAAA|BBBB"), "BBBB")).isEqualTo(Verdict.unknown());
    }

    @Test
    void checkDigitRunsOverTheWholeSerialOrOverTheGroupNamedCheck() {
        assertThat(verdict(Map.of("check", "luhn"), "79927398713")).isEqualTo(Verdict.unknown());
        assertThat(verdict(Map.of("check", "luhn"), "79927398714")).isInstanceOf(Verdict.Refused.class);
        Map<String, String> part = Map.of("pattern", "SN-(?<check>\\d+)(-[A-Z])?", "check", "luhn");
        assertThat(verdict(part, "SN-79927398713-B")).isEqualTo(Verdict.unknown());
        assertThat(verdict(part, "SN-79927398731-B")).isInstanceOf(Verdict.Refused.class);
        assertThat(verdict(part, "79927398713")).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void groupThatMatchedNothingLeavesNothingUnchecked() {
        assertThat(verdict(Map.of("pattern", "SN-1234|(?<check>\\d+)", "check", "luhn"), "SN-1234"))
                .isEqualTo(Verdict.refused("the serial has no part to check"));
    }

    @Test
    void everyCheckHasItsWord() {
        Map.of(
                        "luhn", "79927398713",
                        "iso7064-mod11-2", "0000-0002-1694-233X",
                        "iso7064-mod37-2", "G123498654321H",
                        "iso7064-mod97-10", "79444",
                        "iso7064-mod37-36", "A1-2425G-ABC1234002-M",
                        "mac", "00:00:5E:00:53:01",
                        "imei", "260531793113837")
                .forEach((word, serial) -> {
                    assertThat(verdict(Map.of("check", word), serial)).as(word).isEqualTo(Verdict.unknown());
                    assertThat(verdict(Map.of("check", word), serial + "7"))
                            .as(word)
                            .isInstanceOf(Verdict.Refused.class);
                });
    }

    @ParameterizedTest
    @CsvSource({
        "00:00:5E:00:53:01, true",
        "01:00:5E:00:53:01, false",
        "FF:FF:FF:FF:FF:FF, false",
        "02:00:5E:00:53:01, false",
        "70:B3:D5:12:3A:BC, true"
    })
    void addressesOfGroupsAndLocalOnesAreRefused(String serial, boolean taken) {
        assertThat(verdict(Map.of("check", "mac"), serial) instanceof Verdict.Unknown)
                .isEqualTo(taken);
    }

    @ParameterizedTest
    @CsvSource({
        "00:00:5E:00:53:01, true",
        "0000.5eff.ffff, true",
        "00:00:5D:00:53:01, false",
        "70:B3:D5:12:3A:BC, true",
        "70:B3:D5:12:4A:BC, false",
        "8C:1F:64:AB:CD:EF, false",
        "02:42:AC:11:00:02, true",
        "02:42:AD:11:00:02, false",
        "00005E0053010203, true"
    })
    void prefixesOfManufacturersLimitAddresses(String serial, boolean taken) {
        Map<String, String> settings = Map.of("check", "mac", "oui", "00:00:5E, 70-b3-d5-12-3, 0242AC1");
        assertThat(verdict(settings, serial) instanceof Verdict.Unknown).isEqualTo(taken);
    }

    @Tag("timing")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a+)+b",
                "(a|a)*b",
                "(.*a){20}b",
                "([a-zA-Z]+)*#",
                "(?:|){40}b",
                "(a*)*(a*)*(a*)*b",
                "(a?){64}a{64}b",
                "([a-z]?|[a-z0-9]?){60}#"
            })
    void noSerialKeepsAnExpressionBusy(String expression) {
        PatternVerifier verifier = with(Map.of("pattern", expression));
        Candidate hostile = Candidates.withSerial("a".repeat(128));

        long started = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            assertThat(verifier.verify(hostile)).isInstanceOf(Verdict.Refused.class);
        }

        // An engine that backtracks would need years.
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(Duration.ofSeconds(10)));
    }

    @Test
    void everyFaultIsToldAtOnce() {
        assertThatThrownBy(() -> with(Map.of("pattern", "SN-(", "check", "luhm", "oui", "00:00:5E,00:00,zz")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("pattern: is not a regular expression of RE2: missing closing )")
                .hasMessageContaining("check: ")
                .hasMessageContaining("oui: \"00:00\" is not a prefix")
                .hasMessageContaining("oui: \"zz\" is not a prefix");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "(?=a)b not_a_regular_expression_of_RE2",
                "(a)\\1 not_a_regular_expression_of_RE2",
                "a++ not_a_regular_expression_of_RE2",
                "((a{100}){100}){10} has_too_large_repetitions",
                "(?<check>a) check:_is_required"
            })
    void patternThatCannotBeHeldIsAFault(String pattern, String expected) {
        assertThatThrownBy(() -> with(Map.of("pattern", pattern)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(expected.replace('_', ' '));
    }

    @Test
    void settingsThatSayNothingAreAFault() {
        assertThatThrownBy(() -> with(Map.of())).hasMessageContaining("pattern: is required, or check");
        assertThatThrownBy(() -> with(Map.of("check", "none"))).hasMessageContaining("pattern: is required, or check");
        assertThatThrownBy(() -> with(Map.of("check", "luhn", "oui", "00:00:5E")))
                .hasMessageContaining("oui: means nothing without check = mac");
        assertThatThrownBy(() -> with(Map.of("pattern", "a".repeat(1001))))
                .hasMessageContaining("is longer than 1000 characters");
    }
}
