// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of the claim page. */
class ClaimPageTest {

    private static final byte[] PNG = Base64.getDecoder()
            .decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    @TempDir
    Path directory;

    private static ClaimPage page(Map<String, String> settings) {
        Settings read = Settings.of("", key -> Optional.ofNullable(settings.get(key)));
        ClaimPage page = ClaimPage.read(read);
        read.check(settings.keySet());
        return page;
    }

    private static List<String> faults(Map<String, String> settings) {
        Throwable thrown = Assertions.catchThrowable(() -> page(settings));
        assertThat(thrown).isInstanceOf(ConfigurationException.class);
        List<String> lines = List.of(thrown.getMessage().split("\\n {2}- "));
        return lines.subList(1, lines.size());
    }

    private Path file(String name, byte[] content) {
        try {
            return Files.write(directory.resolve(name), content);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Path file(String name, String content) {
        return file(name, content.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void withoutSettingsItIsMusterInGreen() {
        ClaimPage page = page(Map.of());

        assertThat(page.title()).isEqualTo("Muster");
        assertThat(page.colour()).isEqualTo("#14532d");
        assertThat(page.logo()).isEmpty();
        assertThat(page.texts()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "#000000, #ffffff",
        "#14532d, #ffffff",
        "#ffffff, #000000",
        "#FFEE00, #000000",
        "#757575, #ffffff",
        "#777777, #000000"
    })
    void textOnTheColourIsTheOneThatCanBeReadBetter(String colour, String text) {
        assertThat(page(Map.of("colour", colour)).textColour()).isEqualTo(text);
    }

    @Test
    void everyFaultIsNamedAtOnce() {
        file("fr.json", "{\"claim\": 1}");
        file("it.json", "[]");
        file("es.json", "{\"claim\": \"x\", }");
        file("pt.json", "{\"claim\": \"x\", \"claim\": \"y\"}");
        file("FR.txt", "{}");

        assertThat(faults(Map.of(
                        "title", "x".repeat(61),
                        "colour", "red; } body { display: none",
                        "logo-file", directory.resolve("none.png").toString(),
                        "texts-dir", directory.toString())))
                .satisfiesExactlyInAnyOrder(
                        fault -> assertThat(fault).startsWith("title: must have at most 60 characters"),
                        fault -> assertThat(fault).startsWith("colour: must be six hex digits"),
                        fault -> assertThat(fault).startsWith("logo-file: cannot read"),
                        fault -> assertThat(fault).contains("fr.json: \"claim\" is no text"),
                        fault -> assertThat(fault).contains("it.json must be one JSON object"),
                        fault -> assertThat(fault).contains("es.json is not JSON, see line 1"),
                        fault -> assertThat(fault).contains("pt.json is not JSON, see line 1"),
                        fault -> assertThat(fault).contains("FR.txt is not named after a language"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"#fff", "14532d", "#14532g", "#14532d;", "rgb(1,2,3)"})
    void colourIsSixHexDigitsAndNothingElse(String colour) {
        assertThat(faults(Map.of("colour", colour))).hasSize(1);
    }

    @Test
    void logoIsWhatItsFirstBytesSay() {
        Map<String, byte[]> pictures = Map.of(
                "image/png",
                PNG,
                "image/jpeg",
                new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) 0xe0},
                "image/webp",
                "RIFF\0\0\0\0WEBPVP8 ".getBytes(StandardCharsets.ISO_8859_1),
                "image/svg+xml",
                "<?xml version=\"1.0\"?>\n<svg xmlns='http://www.w3.org/2000/svg'/>".getBytes(StandardCharsets.UTF_8));

        pictures.forEach((type, bytes) -> assertThat(
                        page(Map.of("logo-file", file("logo", bytes).toString()))
                                .logo()
                                .orElseThrow()
                                .type())
                .isEqualTo(type));
        assertThat(faults(Map.of("logo-file", file("logo", "<html>").toString())))
                .hasSize(1);
        assertThat(faults(Map.of("logo-file", file("logo", "").toString()))).hasSize(1);
        assertThat(faults(Map.of(
                        "logo-file", file("logo", new byte[256 * 1024 + 1]).toString())))
                .singleElement()
                .asString()
                .contains("more than 256 KiB");
    }

    @Test
    void textsOfFurtherLanguagesAreReadWithOrWithoutAByteOrderMark() {
        file("fr.json", "\uFEFF{\"claim\": \"Ajouter\"}");
        file("pt-br.json", "{\"claim\": \"Adicionar\"}");

        ClaimPage page = page(Map.of("texts-dir", directory.toString()));

        assertThat(page.texts().keySet()).isEqualTo(Set.of("fr", "pt-br"));
        assertThat(new String(page.texts().get("fr"), StandardCharsets.UTF_8)).isEqualTo("{\"claim\": \"Ajouter\"}");
    }
}
