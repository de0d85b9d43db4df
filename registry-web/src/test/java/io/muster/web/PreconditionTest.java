// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.problem.RegistryException;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreconditionTest {

    private static Precondition of(Map<String, List<String>> headers) {
        return Precondition.of((HttpServletRequest) Proxy.newProxyInstance(
                PreconditionTest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("getHeaders");
                    return Collections.enumeration(headers.getOrDefault((String) arguments[0], List.of()));
                }));
    }

    private static Precondition match(String... lines) {
        return of(Map.of("If-Match", List.of(lines)));
    }

    private static Precondition noneMatch(String... lines) {
        return of(Map.of("If-None-Match", List.of(lines)));
    }

    @Test
    void withoutHeadersEverythingIsPermitted() {
        assertThat(of(Map.of()).test(0)).isTrue();
        assertThat(of(Map.of()).test(7)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "*             | 0 | false",
                "*             | 3 | true",
                "\"3\"         | 3 | true",
                "\"3\"         | 4 | false",
                "\"0\"         | 0 | false",
                "\"03\"        | 3 | false",
                "W/\"3\"       | 3 | false",
                "\"1\", \"3\"  | 3 | true",
                "\"1\",\"3\",  | 3 | true",
                ", ,\"3\"      | 3 | true",
                "\"1\", W/\"3\"| 3 | false",
                "\"a,b\", \"3\"| 3 | true",
                "\"*\"         | 3 | false",
                "\"\"          | 3 | false",
                "\"another's\" | 3 | false"
            })
    void ifMatchNamesTheVersionsThatMayBeReplaced(String header, long there, boolean permitted) {
        assertThat(match(header).test(there)).isEqualTo(permitted);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "*             | 0 | true",
                "*             | 3 | false",
                "\"3\"         | 3 | false",
                "\"3\"         | 0 | true",
                "W/\"3\"       | 3 | false",
                "\"1\", W/\"3\"| 3 | false",
                "\"1\", \"2\"  | 3 | true",
                "\"another's\" | 3 | true"
            })
    void ifNoneMatchNamesTheVersionsThatMayNot(String header, long there, boolean permitted) {
        assertThat(noneMatch(header).test(there)).isEqualTo(permitted);
    }

    @Test
    void bothHeadersMustHold() {
        Precondition both = of(Map.of("If-Match", List.of("*"), "If-None-Match", List.of("\"3\"")));

        assertThat(both.test(0)).isFalse();
        assertThat(both.test(3)).isFalse();
        assertThat(both.test(4)).isTrue();
        assertThat(of(Map.of("If-Match", List.of("\"3\""), "If-None-Match", List.of("*")))
                        .test(3))
                .isFalse();
    }

    @Test
    void headerOnSeveralLinesIsOneList() {
        assertThat(match("\"1\"", "\"3\"").test(3)).isTrue();
        assertThat(noneMatch("\"1\"", "\"3\"").test(3)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                ",",
                "3",
                "\"3",
                "3\"",
                "w/\"3\"",
                "W/",
                "W/ \"3\"",
                "\"1\" \"3\"",
                "*, \"3\"",
                "\"3\", *",
                "\"a b\"",
                "\"3\"x"
            })
    void whatIsNoListOfTagsIsAFault(String header) {
        assertThat(catchThrowableOfType(RegistryException.class, () -> match(header)))
                .as(header)
                .isNotNull();
        assertThat(catchThrowableOfType(
                                RegistryException.class,
                                () -> of(Map.of("If-Match", List.of(header), "If-None-Match", List.of(header))))
                        .faults())
                .hasSize(2);
    }

    @Test
    void longListIsReadInNoTime() {
        assertThat(match("\"x\",".repeat(2000) + "\"3\"").test(3)).isTrue();
        assertThat(catchThrowableOfType(RegistryException.class, () -> match(", ".repeat(4000) + "x")))
                .isNotNull();
    }
}
