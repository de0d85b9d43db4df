// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FormTest {

    private static Form form(String text) {
        return Form.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void namesAndValuesAreDecoded() {
        Form form = form("a=1&b%5f=x+y%2B%C3%A4&empty=&&flag");

        assertThat(form.get("a")).contains("1");
        assertThat(form.get("b_")).contains("x y+\u00e4");
        assertThat(form.get("empty")).isEmpty();
        assertThat(form.get("flag")).isEmpty();
        assertThat(form.hasRepeated()).isFalse();
    }

    @Test
    void parameterGivenTwiceIsNoticed() {
        assertThat(form("a=1&a=1").hasRepeated()).isTrue();
        assertThat(form("a=1&%61=2").hasRepeated()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a=%", "a=%2", "a=%zz", "a=%ff", "a=%c0%af"})
    void malformedEncodingIsAFault(String text) {
        assertThatThrownBy(() -> form(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
