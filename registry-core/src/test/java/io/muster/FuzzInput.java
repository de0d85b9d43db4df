// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

/**
 * The shared parts of the fuzz tests: initial texts, and the rules for every message that a parser makes of hostile
 * bytes.
 */
public final class FuzzInput {

    private static final int LONGEST_MESSAGE = 1000;

    private FuzzInput() {}

    /** Returns texts as bytes; apostrophes stand for double quotes. */
    public static Stream<byte[]> utf8(String... texts) {
        return Stream.of(texts).map(text -> text.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    /** Logs and replies repeat these messages: they are short, and nothing in them could forge a line. */
    public static void assertMayBeLogged(String message) {
        assertThat(message).isNotBlank().hasSizeLessThan(LONGEST_MESSAGE).matches("[ -~]*");
    }
}
