// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.api.RegistrationReceipt;
import io.muster.api.RegistrationRequest;
import java.time.Duration;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

class ValueTypesTest {

    @ParameterizedTest
    @ValueSource(strings = {"SN-1", "00:1A:2b:3c:4d:5e", "!\"#$%&'()*+,-./~", "{\"$ne\":null}"})
    void printableAsciiIsASerial(String text) {
        assertThat(new SerialNumber(text).value()).isEqualTo(text);
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(strings = {"SN 1234", " SN-1234", "SN-1234 ", "SN-Äbc1", "SN-\u0000bc1", "SN-\u007fabc", "ＳＮ１２"})
    void anythingElseIsNot(String text) {
        assertThat(SerialNumber.isValid(text)).isFalse();
        assertThatThrownBy(() -> new SerialNumber(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void serialHas1To128Characters() {
        assertThat(SerialNumber.isValid("x")).isTrue();
        assertThat(SerialNumber.isValid("x".repeat(128))).isTrue();
        assertThat(SerialNumber.isValid("x".repeat(129))).isFalse();
    }

    @Test
    void faultOfASerialDoesNotRepeatIt() {
        assertThatThrownBy(() -> new SerialNumber("bad serial")).hasMessageNotContaining("bad serial");
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(
            strings = {
                "0190a0b0c0d07e0f8a1b2c3d4e5f607",
                "0190A0B0C0D07E0F8A1B2C3D4E5F6071",
                "0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f"
            })
    void deviceIdIs32LowerCaseHexDigits(String text) {
        assertThatThrownBy(() -> new DeviceId(text)).isInstanceOf(IllegalArgumentException.class);
        assertThat(new DeviceId("0190a0b0c0d07e0f8a1b2c3d4e5f6071")).hasToString("0190a0b0c0d07e0f8a1b2c3d4e5f6071");
    }

    @Test
    void attributeOfAnotherTypeIsRefused() {
        assertThatThrownBy(() -> Verdict.genuine(Map.of("list", List.of(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("list");
    }

    @Test
    void textFormsHideSecretsAndEvidence() {
        String secret = "s3cr3t".repeat(8);

        assertThat(new Credential.Secret("0123456789abcdef", secret, Map.of("psk", secret)).toString())
                .doesNotContain(secret);
        assertThat(new RegistrationReceipt(
                        "d",
                        "k",
                        secret,
                        "f",
                        "n",
                        Map.of(),
                        Map.of(),
                        Map.of(),
                        null,
                        Map.of(),
                        Map.of("psk", secret)))
                .asString()
                .doesNotContain(secret);
        assertThat(new RegistrationRequest("SN-1", null, secret, Map.of("jwt", secret), null, null))
                .asString()
                .doesNotContain(secret);
        assertThat(new Candidate(
                                new SerialNumber("SN-1"),
                                "default",
                                Optional.empty(),
                                Map.of("jwt", secret),
                                List.of(),
                                "192.0.2.1")
                        .toString())
                .doesNotContain(secret);
    }

    @ParameterizedTest
    @ValueSource(strings = {"has:colon-0123456789", "short", "has-dash-0123456789"})
    void keyIsLettersAndDigits(String key) {
        assertThatThrownBy(() -> new Credential.Secret(key, "x".repeat(43)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Reports this size, and returns entries for ever. */
    private static <V> Map<String, V> endless(int size, V value) {
        return new AbstractMap<>() {
            @Override
            public int size() {
                return size;
            }

            @Override
            public Set<Map.Entry<String, V>> entrySet() {
                Iterator<Map.Entry<String, V>> all = IntStream.iterate(0, i -> i + 1)
                        .mapToObj(i -> Map.entry("a" + i, value))
                        .iterator();
                return new AbstractSet<>() {
                    @Override
                    public int size() {
                        return size;
                    }

                    @Override
                    public Iterator<Map.Entry<String, V>> iterator() {
                        return all;
                    }
                };
            }
        };
    }

    @Test
    void tooManyMembersAreRefusedBeforeTheyAreCopied() {
        for (int size : new int[] {1, 1_000_000, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> Verdict.genuine(endless(size, "x")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("attributes has more than 1000 members");
            assertThatThrownBy(() -> new Verdict.Genuine(Optional.empty(), endless(size, "x"), Map.of()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new Credential.Secret("0123456789abcdef", "s".repeat(43), endless(size, "x")))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void candidateKeepsWhatItWasMadeWith() {
        List<Object> list = new ArrayList<>(List.of("x"));
        Map<String, Object> inner = new HashMap<>(Map.of("list", list));
        inner.put("null", null);
        Candidate candidate = new Candidate(
                new SerialNumber("SN-1"), "default", Optional.empty(), Map.of("a", inner), List.of(), "192.0.2.1");

        list.add("y");
        inner.clear();

        Map<?, ?> kept = (Map<?, ?>) candidate.evidence().get("a");
        assertThat(kept.get("list")).isEqualTo(List.of("x"));
        assertThat(kept.containsKey("null")).isTrue();
        assertThatThrownBy(kept::clear).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(((List<?>) kept.get("list"))::clear).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void candidateIsBoundToAKeyOrToNone() {
        Candidate candidate = Candidates.withSerial("SN-0001");

        assertThat(candidate.binding()).isEmpty();
        assertThat(candidate.boundTo("thumb").binding()).contains("thumb");
        assertThat(candidate.boundTo("thumb").serial()).isEqualTo(candidate.serial());
    }

    @Test
    void pendingNamesNoTimeThatIsOver() {
        assertThat(Verdict.pending()).isEqualTo(new Verdict.Pending(Optional.empty()));
        assertThat(Verdict.pending(Duration.ZERO)).isEqualTo(new Verdict.Pending(Optional.of(Duration.ZERO)));
        assertThatThrownBy(() -> Verdict.pending(Duration.ofSeconds(-1))).isInstanceOf(IllegalArgumentException.class);
    }
}
