// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class RequiredTest {

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsThereIsFine(boolean ci) {
        assertThatCode(() -> Required.there(true, "there is no broker", ci)).doesNotThrowAnyException();
    }

    @Test
    void whatIsMissingSkipsATestOnALaptop() {
        assertThatThrownBy(() -> Required.there(false, "there is no broker", false))
                .isInstanceOf(TestAbortedException.class)
                .hasMessageContaining("there is no broker");
    }

    @Test
    void whatIsMissingFailsATestInCi() {
        assertThatThrownBy(() -> Required.there(false, "there is no broker", true))
                .isInstanceOf(AssertionFailedError.class)
                .hasMessageContaining("there is no broker");
    }
}
