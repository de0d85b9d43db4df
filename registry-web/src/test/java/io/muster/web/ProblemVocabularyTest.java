// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.api.ProblemType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProblemVocabularyTest {

    @ParameterizedTest
    @EnumSource(ProblemType.class)
    void everyProblemHasItsPlaceInTheDocumentation(ProblemType type) throws IOException {
        String page = Files.readString(Path.of("../docs/problems.md"));

        assertThat(page).contains("## " + type.slug() + "\n").contains(type.uri());
    }

    @Test
    void everyProblemOfAStatusIsThatStatus() {
        for (ProblemType type : ProblemType.values()) {
            assertThat(Problems.type(type.status()).status()).isEqualTo(type.status());
        }
    }
}
