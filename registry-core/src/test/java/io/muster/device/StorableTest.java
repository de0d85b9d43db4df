// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.spi.Verdict;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StorableTest {

    private static Optional<String> attribute(Object value) {
        return Storable.fault(new Verdict.Genuine(Optional.empty(), Map.of(), Map.of("limit", value)));
    }

    @Test
    void numbersThatAreNotFiniteOrTooLongAreNotStored() {
        for (Number number : List.of(
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Float.NEGATIVE_INFINITY,
                new BigDecimal("1E+999999999"),
                new BigDecimal("1E-401"),
                new BigDecimal("1E+309"),
                new BigDecimal("-1E+400"),
                BigInteger.ONE.shiftLeft(100_000_000),
                new BigDecimal(BigInteger.ONE.shiftLeft(100_000_000), 30_000_000),
                BigInteger.TEN.pow(100),
                new BigDecimal("1".repeat(41)),
                new OddNumber())) {
            assertThat(attribute(number))
                    .as(number.getClass().getName())
                    .get()
                    .asString()
                    .startsWith("attributes.limit ");
        }
        for (Number number : List.of(
                0,
                -1L,
                Double.MAX_VALUE,
                Double.MIN_VALUE,
                0.1f,
                new BigDecimal("1E+308"),
                new BigDecimal("1E-400"),
                new BigDecimal("1".repeat(40)))) {
            assertThat(attribute(number)).as(number.toString()).isEmpty();
        }
    }

    /** A plug-in's own kind of Number. */
    private static final class OddNumber extends Number {

        private static final long serialVersionUID = 1;

        @Override
        public int intValue() {
            return 0;
        }

        @Override
        public long longValue() {
            return 0;
        }

        @Override
        public float floatValue() {
            return 0;
        }

        @Override
        public double doubleValue() {
            return 0;
        }

        @Override
        public String toString() {
            return "1,\"name\":2";
        }
    }

    @Test
    void textsWithControlCharactersOrHalvesOfAPairAreNotStoredAnywhere() {
        for (String text : List.of("a\u0000b", "a\nb", "\u009f", "\ud83d", "\ude00x", "\ude00\ud83d")) {
            assertThat(attribute(text)).isPresent();
            assertThat(Storable.tagFault(text)).isPresent();
            assertThat(Storable.nameFault(text)).isPresent();
        }
        for (String text : List.of("Pumpe 7, grün", "\ud83d\ude00", "\u00a0x", "\uffff")) {
            assertThat(attribute(text)).isEmpty();
            assertThat(Storable.tagFault(text)).isEmpty();
            assertThat(Storable.nameFault(text)).isEmpty();
        }
    }

    @Test
    void namesAreNeitherBlankNorTooLong() {
        assertThat(Storable.nameFault("")).isPresent();
        assertThat(Storable.nameFault(" \t")).isPresent();
        assertThat(Storable.nameFault("x".repeat(200))).isEmpty();
        assertThat(Storable.nameFault("x".repeat(201))).isPresent();
    }

    @Test
    void namesOfMembersAreOfFewCharactersAndNotRepeatedInAFault() {
        for (String name : List.of("", " ", "a b", "gr\u00fcn", "a\u0000", "x".repeat(65))) {
            assertThat(Storable.fault(new Verdict.Genuine(Optional.empty(), Map.of(name, "x"), Map.of())))
                    .contains("a name in tags must be 1 to 64 letters, digits and _ . : -");
            assertThat(Storable.fault(new Verdict.Genuine(Optional.empty(), Map.of(), Map.of(name, "x"))))
                    .contains("a name in attributes must be 1 to 64 letters, digits and _ . : -");
        }
    }

    @Test
    void faultNamesTheMemberAndNotItsValue() {
        assertThat(Storable.fault(new Verdict.Genuine(Optional.empty(), Map.of("site", "a secret\u0000"), Map.of())))
                .get()
                .asString()
                .startsWith("tags.site must have at most 256 characters")
                .doesNotContain("secret");
    }

    @Test
    void allAttributesTogetherFitTheColumn() {
        Map<String, Object> many =
                IntStream.range(0, 100).boxed().collect(Collectors.toMap(i -> "a" + i, i -> "\u20ac".repeat(1000)));

        assertThat(Storable.membersFault(many)).contains("has more than 65535 bytes as JSON");
        assertThat(Storable.membersFault(
                        IntStream.range(0, 101).boxed().collect(Collectors.toMap(i -> "a" + i, i -> i))))
                .contains("has more than 100 members");
    }
}
