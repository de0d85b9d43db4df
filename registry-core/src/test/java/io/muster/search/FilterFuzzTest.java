// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.FuzzInput;
import io.muster.verification.SerialForm;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class FilterFuzzTest {

    static Stream<byte[]> filters() {
        return FuzzInput.utf8(
                "serial eq 'SN-1'",
                "name sw 'P' and (lot pr or not (tags.a co 'x')) and attributes.n gt -1.5e3",
                "tags[name eq 'a']",
                "name eq {'a':[1,2,{}]}",
                "name eq 1e999999999",
                "attributes.a eq 1e999999999",
                "attributes.a eq 123456789012345678901234567890123456789012345678901234567890",
                "not not not",
                "((((((((((",
                "and or",
                "lot pr lot pr",
                "lot eq 'a\\",
                "lot eq '\\ud800'",
                "a\u0000 eq 'b'",
                "\u0130 eq 'b'",
                "lot  eq\t'a'",
                "lot pr)))");
    }

    @MethodSource("filters")
    @FuzzTest
    void textIsAFilterOrHasFaults(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        try {
            Expression filter = FilterParser.parse(text, new DeviceFields(SerialForm.EXACT));

            assertThat(text.length()).isLessThanOrEqualTo(FilterParser.MAX_LENGTH);
            assertThat(filter.fields()).isNotEmpty().allMatch(name -> name.length() < 100);
            assertThat(Range.of(filter)).hasSizeLessThanOrEqualTo(FilterParser.MAX_COMPARISONS);
            assertThat(filter.matches(field -> null)).isIn(true, false);
            assertThat(filter.matches(field -> "text")).isIn(true, false);
        } catch (FilterException e) {
            assertThat(e.faults()).isNotEmpty().hasSizeLessThanOrEqualTo(FilterParser.MAX_COMPARISONS);
            e.faults().forEach(FuzzInput::assertMayBeLogged);
        }
    }
}
