// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpSettingsTest {

    private static final Map<String, String> API =
            Map.of("url", "https://api.example.com/devices/{serial}", "pointer", "/verified");
    private static final Map<String, String> CONTRACT =
            Map.of("form", "contract", "url", "https://api.example.com/verify", "secret", HttpKind.SECRET);

    @Test
    void allFaultsAreToldAtOnceAndTheSecretsAreNot() {
        Map<String, String> map = Map.ofEntries(
                Map.entry("url", "http://user:hunter2@169.254.169.254/{serial}#top"),
                Map.entry("method", "DELETE"),
                Map.entry("headers", "X-Api-Key, Host, X Y"),
                Map.entry("header.x-api-key", "hunter2\u0007"),
                Map.entry("authorization", "Bearer\nhunter2"),
                Map.entry("body", "{\"sn\":\"{serial}\"}"),
                Map.entry("genuine-status", "200,404,abc"),
                Map.entry("refused-status", "410,99"),
                Map.entry("unknown-status", "410"),
                Map.entry("pointer", "verified"),
                Map.entry("equals", "yes"),
                Map.entry("otherwise", "genuine"),
                Map.entry("serial-pointer", "/a~2"),
                Map.entry("tags", "serial=/serial,x"),
                Map.entry("attributes", "a=/a,a=/b,b=c"),
                Map.entry("timeout", "PT31S"),
                Map.entry("connect-timeout", "1s"),
                Map.entry("max-reply", "1GiB"),
                Map.entry("breaker-failures", "none"),
                Map.entry("breaker-delay", "PT1H"),
                Map.entry("allow-private", "yes"),
                Map.entry("retries", "3"));

        ConfigurationException thrown = faults(map);

        assertThat(thrown.getMessage()).doesNotContain("hunter2");
        for (String key : map.keySet()) {
            if (!key.equals("body") && !key.equals("unknown-status")) {
                assertThat(thrown.getMessage()).contains("muster.verifier.acme." + key + ": ");
            }
        }
        assertThat(thrown.getMessage())
                .contains("url: must be https; set allow-http = true if the network is trusted")
                .contains("url: must not contain user information; use authorization-file")
                .contains("url: must not contain a fragment")
                .contains("url: is not an address of the public Internet; set allow-private = true if that is meant")
                .contains("headers: Host cannot be set here")
                .contains("headers: names are letters, digits and dashes, separated by commas")
                .contains("genuine-status: 404 is not a status of success")
                .contains("genuine-status: \"abc\" is not a status from 200 to 599")
                .contains("refused-status: 410 is in unknown-status too")
                .contains("tags: the tag serial is the registry's own")
                .contains("attributes: a is there twice")
                .contains("retries: unknown key");
    }

    @Test
    void nothingAtAllIsToldTooAndReachesNoAddress() {
        Settings settings = HttpKind.settingsOf(Map.of());
        try (HttpVerifier verifier = new HttpVerifier("acme", settings, HttpKind.CLOCK)) {
            assertThatExceptionOfType(ConfigurationException.class)
                    .isThrownBy(() -> HttpKind.check(settings, Map.of()))
                    .withMessageContaining("muster.verifier.acme.url: is required")
                    .withMessageContaining("muster.verifier.acme.pointer: is required, or serial-pointer");
            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> verifier.verify(Candidates.withSerial("SN-0001")));
        }
    }

    @Test
    void simplestSettingsHaveNoFault() {
        HttpKind.verifier(API).close();
        HttpKind.verifier(CONTRACT).close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "file:///etc/{serial}|is not an absolute https address",
                "ftp://api.example.com/{serial}|is not an absolute https address",
                "jar:https://api.example.com/a.jar!/{serial}|is not an absolute https address",
                "/devices/{serial}|is not an absolute https address",
                "https:///{serial}|is not an absolute https address",
                "https://api.example.com:0/{serial}|is not an absolute https address",
                "https://api.example.com:70000/{serial}|is not an absolute https address",
                "https://api.example.com/ /{serial}|is not an absolute https address",
                "https://api.example.com/{sn}|has a brace that belongs to neither {serial} nor {fleet}",
                "https://api.example.com/{serial}}|has a brace that belongs to neither {serial} nor {fleet}",
                "https://{serial}.example.com/|has a placeholder before its path",
                "https://api.example.com{serial}|has a placeholder before its path",
                "https://{fleet}/{serial}|has a placeholder before its path",
                "https://api.example.com:443{serial}/|is not an absolute https address",
                "https://{serial}@api.example.com/|must not contain user information",
                "https://user@api.example.com/{serial}|must not contain user information",
                "https://api.example.com/#{serial}|must not contain a fragment",
                "http://api.example.com/{serial}|must be https",
                "https://127.0.0.1/{serial}|is not an address of the public Internet",
                "https://2130706433/{serial}|is not an address of the public Internet",
                "https://[::1]/{serial}|is not an address of the public Internet",
                "https://[::ffff:127.0.0.1]/{serial}|is not an address of the public Internet",
                "https://[::ffff:a9fe:a9fe]/{serial}|is not an address of the public Internet",
                "https://10.1.2.3:8443/{serial}|is not an address of the public Internet",
                "https://api.example.com/devices|must contain {serial}, or the body must"
            })
    void addressThatCouldLeadElsewhereIsRefused(String url, String fault) {
        assertThat(faults(HttpKind.with(API, "url", url)).getMessage())
                .contains("muster.verifier.acme.url: ")
                .contains(fault);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://api.example.com/{serial}",
                "https://api.example.com:8443/a/{fleet}/{serial}/b",
                "https://api.example.com?sn={serial}",
                "https://api.example.com/x?key=a%20b&sn={serial}",
                "https://1.1.1.1/{serial}",
                "https://[2606:4700::1111]/{serial}"
            })
    void addressWithPlaceholdersAfterTheHostIsTaken(String url) {
        HttpKind.verifier(HttpKind.with(API, "url", url)).close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"sn\":{serial}}|application/json|body: is not JSON once its placeholders are filled in",
                "{\"sn\":'{serial}'}|application/json|body: is not JSON once its placeholders are filled in",
                "<sn>{serial}</sn>|application/xml|content-type: must be JSON or application/x-www-form-urlencoded",
                "{serial}|text/plain|content-type: must be JSON or application/x-www-form-urlencoded"
            })
    void bodyInWhichASerialCouldBreakOutIsRefused(String body, String type, String fault) {
        assertThat(faults(HttpKind.with(API, "method", "POST", "body", body, "content-type", type))
                        .getMessage())
                .contains(fault);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "method|HEAD|method: HEAD has no reply",
                "genuine-status|200,204|genuine-status: 204 and 205 have no reply",
                "genuine-status|302|genuine-status: 302 is not a status of success",
                "status-only|true|status-only: cannot be true beside pointer or serial-pointer",
                "body|{\"sn\":\"{serial}\"}|body: is only for POST and PUT",
                "content-type|application/json|content-type: means nothing without body",
                "headers|Authorization|headers: Authorization cannot be set here",
                "headers|Muster-Fleet|headers: Muster-Fleet cannot be set here",
                "headers|muster-id|headers: muster-id cannot be set here",
                "headers|Keep-Alive|headers: Keep-Alive cannot be set here",
                "headers|Proxy-Connection|headers: Proxy-Connection cannot be set here",
                "headers|X-Api-Key|header.x-api-key: is required, or header.x-api-key-file",
                "header.x-api-key|abc|header.x-api-key: unknown key",
                "secret|abc|secret: unknown key",
                "equals|null|equals: must be true, false, a number or a text in double quotes",
                "equals|{}|equals: must be true, false, a number or a text in double quotes",
                "equals|active|equals: must be true, false, a number or a text in double quotes"
            })
    void settingThatCannotWorkIsRefused(String key, String value, String fault) {
        assertThat(faults(HttpKind.with(API, key, value)).getMessage()).contains("muster.verifier.acme." + fault);
    }

    @Test
    void equalsWithoutPointerIsRefused() {
        assertThat(faults(Map.of(
                                "url", "https://api.example.com/{serial}",
                                "serial-pointer", "/serial",
                                "equals", "true",
                                "otherwise", "refused"))
                        .getMessage())
                .contains("equals: means nothing without pointer")
                .contains("otherwise: means nothing without pointer");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "url|https://api.example.com/{serial}|url: must not contain placeholders in the form contract",
                "secret|only-31-bytes-are-in-this-textx|secret: must have at least 32 bytes",
                "secret|' '|secret-file: is required in the form contract",
                "pointer|/verified|pointer: belongs to the form api",
                "method|POST|method: belongs to the form api",
                "attributes|a=/a|attributes: belongs to the form api",
                "form|v1|form: \"v1\" is none of api, contract"
            })
    void contractHasItsOwnFaults(String key, String value, String fault) {
        ConfigurationException thrown = faults(HttpKind.with(CONTRACT, key, value));

        assertThat(thrown.getMessage()).contains(fault).doesNotContain("only-31-bytes");
    }

    @Test
    void secretsAreReadFromFiles(@TempDir Path dir) throws IOException {
        Path secret = Files.writeString(dir.resolve("secret"), HttpKind.SECRET + "\n");
        Path authorization = Files.writeString(dir.resolve("authorization"), "Bearer from-a-file\n");
        Path apiKey = Files.writeString(dir.resolve("api-key"), "key-from-a-file\n");
        try (HttpWire wire = new HttpWire(HttpWire.says(200, "application/json", HttpKind.CONTRACT.genuine()));
                HttpVerifier verifier = HttpKind.verifier(Map.of(
                        "form",
                        "contract",
                        "allow-http",
                        "true",
                        "allow-private",
                        "true",
                        "url",
                        wire.url("/verify"),
                        "secret-file",
                        secret.toString(),
                        "authorization-file",
                        authorization.toString(),
                        "headers",
                        "X-Api-Key",
                        "header.x-api-key-file",
                        apiKey.toString()))) {
            assertThat(verifier.verify(Candidates.withSerial(HttpKind.SERIAL))).isEqualTo(Verdict.genuine());
            assertThat(wire.questions().get(0).headers())
                    .containsEntry("Authorization", "Bearer from-a-file")
                    .containsEntry("X-Api-Key", "key-from-a-file");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"api", "contract"})
    void everySettingIsInTheDocumentation(String form) throws IOException {
        String page = Files.readString(Path.of("..", "docs", "verifiers", "http.md"));
        Settings settings = HttpKind.settingsOf(Map.of("form", form));
        new HttpVerifier("acme", settings, HttpKind.CLOCK).close();

        for (Settings.Definition known : settings.known()) {
            String key = known.key().substring("muster.verifier.acme.".length());
            assertThat(page).containsPattern("(?m)^\\| .*`" + Pattern.quote(key) + "`.* \\|");
        }
    }

    private static ConfigurationException faults(Map<String, String> map) {
        Settings settings = HttpKind.settingsOf(map);
        new HttpVerifier("acme", settings, HttpKind.CLOCK).close();
        ConfigurationException thrown =
                catchThrowableOfType(ConfigurationException.class, () -> HttpKind.check(settings, map));
        assertThat(thrown).as("there are faults").isNotNull();
        return thrown;
    }
}
