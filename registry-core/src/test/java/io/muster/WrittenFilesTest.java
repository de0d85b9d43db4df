// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.ConfigurationException;
import io.muster.config.Sources;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that people write can be read whatever their editor did: a byte order mark, line breaks of Windows, UTF-16. */
class WrittenFilesTest {

    private static final String KEY = Base64.getEncoder().encodeToString(new byte[32]);
    private static final String TOKEN = "mo_" + "x".repeat(43);

    @TempDir
    Path directory;

    private Path write(Path file, String text, Charset charset) throws IOException {
        return Files.write(file, ("\ufeff" + text + "\r\n").getBytes(charset));
    }

    private Path write(String name, String text, Charset charset) throws IOException {
        return write(directory.resolve(name), text, charset);
    }

    private TestRegistry registry(Charset charset) throws IOException {
        TestRegistry registry = TestRegistry.fresh();
        write(registry.dataDir().resolve("operator-token"), TOKEN, charset);
        return registry.with(
                        "muster.master-key-file",
                        write("master-key", KEY, charset).toString())
                .with("muster.verifiers", "block-list,database,jwt")
                .with("muster.verifier.jwt.issuer", "https://factory.example")
                .with(
                        "muster.verifier.block-list.file",
                        write("blocked", "SN-9999\r\n# nobody else", charset).toString())
                .with(
                        "muster.verifier.jwt.secret-file",
                        write("secret", "s".repeat(64), charset).toString());
    }

    @Test
    void byteOrderMarksAndLineBreaksOfWindowsDoNotMatter() throws IOException {
        try (TestNode registry = registry(StandardCharsets.UTF_8).start()) {
            assertThat(registry.operators().authenticate(TOKEN)).isPresent();
            assertThat(registry.fleets().find("default").orElseThrow().policy()).isNotNull();
        }
    }

    @Test
    void utf16IsNamedForEveryFileOfTheConfiguration() throws IOException {
        TestRegistry faulty = registry(StandardCharsets.UTF_16LE);

        assertThatThrownBy(faulty::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("block-list.file: it is UTF-16; save it as UTF-8")
                .hasMessageContaining("jwt.secret-file: cannot read")
                .hasMessageContaining("secret (it is UTF-16; save it as UTF-8)");
    }

    @Test
    void utf16IsNamedForMasterKeyAndOperatorToken() throws IOException {
        Path key = write("key", KEY, StandardCharsets.UTF_16BE);
        assertThatThrownBy(() -> TestRegistry.fresh()
                        .with("muster.master-key-file", key.toString())
                        .start())
                .hasMessageContaining("muster.master-key-file")
                .hasMessageContaining("it is UTF-16; save it as UTF-8");

        TestRegistry registry = TestRegistry.fresh();
        write(registry.dataDir().resolve("operator-token"), TOKEN, StandardCharsets.UTF_16LE);
        assertThatThrownBy(registry::start).hasMessageContaining("operator-token (it is UTF-16; save it as UTF-8)");
    }

    @Test
    void firstKeyOfAPropertyFileWithAMarkIsRead() throws IOException {
        Path file = write(
                "muster.properties",
                "muster.token.lifetime = PT1S\r\nmuster.issuer = https://a",
                StandardCharsets.UTF_8);

        Sources sources = Sources.of(new Properties(), Map.of("MUSTER_CONFIG_FILE", file.toString()), Sources.none());

        assertThat(sources.lookup().apply("muster.token.lifetime")).contains("PT1S");
        assertThat(sources.names()).contains("muster.token.lifetime", "muster.issuer");
    }

    @Test
    void propertyFileInUtf16OrLatin1IsNamed() throws IOException {
        Path utf16 = write("utf16", "muster.issuer = https://a", StandardCharsets.UTF_16LE);
        Path latin1 = Files.write(directory.resolve("latin1"), "a = \u00e4".getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() ->
                        Sources.of(new Properties(), Map.of("MUSTER_CONFIG_FILE", utf16.toString()), Sources.none()))
                .hasMessageContaining("utf16 (it is UTF-16; save it as UTF-8)");
        assertThatThrownBy(() ->
                        Sources.of(new Properties(), Map.of("MUSTER_CONFIG_FILE", latin1.toString()), Sources.none()))
                .hasMessageContaining("latin1 (it is not UTF-8)");
    }

    @Test
    void jsonInUtf16IsNamed() {
        byte[] utf16 = "\ufeff{}".getBytes(StandardCharsets.UTF_16LE);
        for (ThrowingCallable parse :
                List.<ThrowingCallable>of(() -> Json.parse(utf16), () -> Json.parseWritten(utf16))) {
            assertThatThrownBy(parse)
                    .isInstanceOf(MalformedJsonException.class)
                    .hasMessage("the text is UTF-16; it must be UTF-8");
        }
    }

    @Test
    void documentMayBeginWithAMarkAndATokenMayNot() {
        byte[] marked = "\ufeff{}".getBytes(StandardCharsets.UTF_8);

        assertThat(Json.parseWritten(marked).isObject()).isTrue();
        assertThatThrownBy(() -> Json.parse(marked)).isInstanceOf(MalformedJsonException.class);
    }
}
