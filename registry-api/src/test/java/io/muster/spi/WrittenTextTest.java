// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WrittenTextTest {

    @TempDir
    Path directory;

    private Path file(String text, Charset charset) throws IOException {
        return Files.write(directory.resolve("file"), text.getBytes(charset));
    }

    @Test
    void byteOrderMarkIsPassedOver() throws IOException {
        assertThat(WrittenText.read(file("\ufeffkey = \u00e4\r\n", StandardCharsets.UTF_8)))
                .isEqualTo("key = \u00e4\r\n");
        assertThat(WrittenText.read(file("\ufeff", StandardCharsets.UTF_8))).isEmpty();
        assertThat(WrittenText.read(file("", StandardCharsets.UTF_8))).isEmpty();
    }

    @Test
    void onlyTheFirstMarkIsOne() throws IOException {
        assertThat(WrittenText.read(file("\ufeff\ufeffa\ufeff", StandardCharsets.UTF_8)))
                .isEqualTo("\ufeffa\ufeff");
    }

    @Test
    void utf16IsNamed() {
        for (Charset utf16 : List.of(StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
            assertThatThrownBy(() -> WrittenText.read(file("\ufeffsecret", utf16)))
                    .isInstanceOf(WrittenText.Utf16Exception.class)
                    .satisfies(
                            e -> assertThat(WrittenText.reason((Exception) e)).contains("save it as UTF-8"));
            assertThatThrownBy(() -> WrittenText.withoutMark(new ByteArrayInputStream("\ufeffsecret".getBytes(utf16))))
                    .isInstanceOf(WrittenText.Utf16Exception.class);
        }
    }

    @Test
    void whatIsNotUtf8IsNamed() {
        assertThatThrownBy(() -> WrittenText.read(file("p\u00fcmpe", StandardCharsets.ISO_8859_1)))
                .satisfies(e -> assertThat(WrittenText.reason((Exception) e)).isEqualTo("it is not UTF-8"));
    }

    @Test
    void reasonOfWhatCannotBeReadIsItsKind() {
        assertThatThrownBy(() -> WrittenText.read(directory.resolve("none")))
                .satisfies(e -> assertThat(WrittenText.reason((Exception) e)).isEqualTo("NoSuchFileException"))
                .isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void streamsLoseTheMarkAndNothingElse() throws IOException {
        for (String text : List.of("", "a", "ab", "abcd", "\u00efbc", "\ufefe", "\ufeff", "\ufeffa", "\ufeff\r\nab")) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            InputStream oneByOne = new ByteArrayInputStream(bytes) {
                @Override
                public synchronized int read(byte[] buffer, int offset, int length) {
                    return super.read(buffer, offset, Math.min(1, length));
                }
            };

            String expected = text.startsWith("\ufeff") ? text.substring(1) : text;
            assertThat(WrittenText.withoutMark(new ByteArrayInputStream(bytes)))
                    .hasBinaryContent(expected.getBytes(StandardCharsets.UTF_8));
            assertThat(WrittenText.withoutMark(oneByOne)).hasBinaryContent(expected.getBytes(StandardCharsets.UTF_8));
        }
    }
}
