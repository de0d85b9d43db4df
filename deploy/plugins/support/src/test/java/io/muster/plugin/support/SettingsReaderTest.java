// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsReaderTest {

    private static final Set<String> NAMES = Set.of("text", "duration", "number", "choice", "pairs", "tags", "ca-file");

    private static SettingsReader reader(String... settings) {
        Map<String, String> all = new TreeMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        return new SettingsReader(all, NAMES, Set.of("password"));
    }

    private static void assertFault(SettingsReader reader, String fault) {
        assertThatThrownBy(() -> reader.checked("read"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(fault);
    }

    private static List<String> pairs(SettingsReader reader, UnaryOperator<String> nameOf) {
        List<String> read = new ArrayList<>();
        reader.pairs("pairs", "field", nameOf, (name, field) -> read.add(name + " in " + field));
        return read;
    }

    @Test
    void withoutAFaultWhatWasReadIsReturned() {
        assertThat(reader("text", "red", "password", "sesame").checked("read")).isEqualTo("read");
    }

    @Test
    void faultsAreSaidTogetherInTheirOrder() {
        SettingsReader reader = reader("colour", "red", "animal", "cat", "number", "x");

        reader.number("number", 1, 1, 9);
        reader.fault("text: is required");

        assertFault(
                reader,
                "animal: unknown setting; colour: unknown setting; number: \"x\" is not a whole number; text: is required");
    }

    @Test
    void durationIsRead() {
        assertThat(reader("duration", "PT3S").duration("duration", "PT2S", "PT1S", "PT5S"))
                .isEqualTo(Duration.ofSeconds(3));
        assertThat(reader().duration("duration", "PT2S", "PT1S", "PT5S")).isEqualTo(Duration.ofSeconds(2));
    }

    @ParameterizedTest
    @CsvSource({
        "PT0.999S, duration: is not within PT1S to PT5S",
        "PT5.001S, duration: is not within PT1S to PT5S",
        "3 seconds, 'duration: \"3 seconds\" is not a duration from PT1S to PT5S'",
        "'', 'duration: \"\" is not a duration from PT1S to PT5S'"
    })
    void durationBeyondItsBoundsIsAFault(String text, String fault) {
        SettingsReader reader = reader("duration", text);

        assertThat(reader.duration("duration", "PT2S", "PT1S", "PT5S")).isEqualTo(Duration.ofSeconds(2));

        assertFault(reader, fault);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "9, 9"})
    void numberIsReadUpToItsBounds(String text, int number) {
        SettingsReader reader = reader("number", text);

        assertThat(reader.checked(reader.number("number", 5, 1, 9))).isEqualTo(number);
    }

    @ParameterizedTest
    @CsvSource({
        "0, number: is not within 1 to 9",
        "10, number: is not within 1 to 9",
        "1.5, 'number: \"1.5\" is not a whole number'",
        "99999999999, 'number: \"99999999999\" is not a whole number'"
    })
    void numberBeyondItsBoundsIsAFault(String text, String fault) {
        SettingsReader reader = reader("number", text);

        assertThat(reader.number("number", 5, 1, 9)).isEqualTo(5);

        assertFault(reader, fault);
    }

    @Test
    void choiceIsSpeltInSmallLetters() {
        assertThat(reader("choice", "refused").choice("choice", Otherwise.class, Otherwise.UNKNOWN))
                .isEqualTo(Otherwise.REFUSED);
        assertThat(reader().choice("choice", Otherwise.class, Otherwise.UNKNOWN))
                .isEqualTo(Otherwise.UNKNOWN);

        SettingsReader reader = reader("choice", "REFUSED");
        assertThat(reader.choice("choice", Otherwise.class, Otherwise.UNKNOWN)).isEqualTo(Otherwise.UNKNOWN);
        assertFault(reader, "choice: \"REFUSED\" is none of unknown, refused");
    }

    @Test
    void pairWithoutASignIsInTheFieldOfItsName() {
        SettingsReader reader = reader("pairs", " site = place,lot,, ");

        assertThat(pairs(reader, UnaryOperator.identity())).containsExactly("site in place", "lot in lot");
        reader.checked("read");
    }

    @Test
    void nameMayBePartOfWhatIsBeforeTheSign() {
        UnaryOperator<String> untyped = text -> text.replaceFirst(":.*", "");
        assertThat(pairs(reader("pairs", "limit:number, sold:boolean=s"), untyped))
                .containsExactly("limit:number in limit", "sold:boolean in s");

        SettingsReader twice = reader("pairs", "limit:number, limit:string=l");
        assertThat(pairs(twice, untyped)).containsExactly("limit:number in limit");
        assertFault(twice, "pairs: has limit twice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"=place", "site=", "="})
    void pairWithoutANameOrAFieldIsAFault(String text) {
        SettingsReader reader = reader("pairs", text);

        assertThat(pairs(reader, UnaryOperator.identity())).isEmpty();

        assertFault(reader, "pairs: must be name=field, separated by commas");
    }

    @Test
    void serialIsNoTag() {
        SettingsReader reader = reader("tags", "site, serial=sn");

        reader.tags("field", (tag, field) -> {});

        assertFault(reader, "tags: serial is the registry's own");
    }

    @Test
    void withoutAFileTheAuthoritiesOfTheJdkAreTrusted() {
        SettingsReader reader = reader();

        assertThat(reader.checked(reader.tls("ca-file"))).isPresent();
    }

    @Test
    void fileOfAuthoritiesIsReadWhateverMarkItBeginsWith(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("ca.pem");
        String pem = certificate(directory);
        for (String text : List.of(pem, "\ufeff" + pem)) {
            Files.writeString(file, text);
            SettingsReader reader = reader("ca-file", file.toString());

            assertThat(reader.checked(reader.tls("ca-file"))).isPresent();
        }
    }

    @Test
    void fileWithoutACertificateIsAFault(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("empty.pem"), "");
        SettingsReader reader = reader("ca-file", file.toString());

        assertThat(reader.tls("ca-file")).isEmpty();

        assertFault(reader, "ca-file: there is no certificate in " + file + ", as PEM");
    }

    @Test
    void fileThatIsNotThereIsAFault() {
        SettingsReader reader = reader("ca-file", "missing.pem");

        assertThat(reader.tls("ca-file")).isEmpty();

        assertFault(reader, "ca-file: cannot read certificates from missing.pem (NoSuchFileException)");
    }

    private static String certificate(Path directory) throws Exception {
        Path file = directory.resolve("ca.p12");
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process made = new ProcessBuilder(List.of(
                        keytool,
                        "-genkeypair",
                        "-alias",
                        "ca",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=ca",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "password",
                        "-keystore",
                        file.toString()))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("keytool").toFile())
                .start();
        assertThat(made.waitFor()).isZero();
        KeyStore store = KeyStore.getInstance(file.toFile(), "password".toCharArray());
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder()
                        .encodeToString(store.getCertificate("ca").getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }
}
