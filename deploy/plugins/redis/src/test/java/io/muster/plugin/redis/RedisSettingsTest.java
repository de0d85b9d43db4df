// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedisSettingsTest {

    private static RedisSettings read(String... settings) {
        Map<String, String> all = new TreeMap<>(Map.of("uri", "redis://redis.example", "key", "serial:{serial}"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        all.values().removeIf(String::isEmpty);
        return RedisSettings.of(all);
    }

    @Test
    void defaults() {
        RedisSettings settings = read();

        assertThat(settings.server())
                .isEqualTo(new RedisSettings.Server(
                        "redis.example",
                        6379,
                        0,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(2),
                        16));
        assertThat(settings.form()).isEqualTo(RedisSettings.Form.KEY);
    }

    @Test
    void addressHasPortAndDatabase() {
        RedisSettings.Server server = read("uri", "rediss://[::1]:6380/12").server();

        assertThat(server.host()).isEqualTo("::1");
        assertThat(server.port()).isEqualTo(6380);
        assertThat(server.database()).isEqualTo(12);
        assertThat(server.tls()).isPresent();
    }

    @Test
    void passwordIsInNoText() {
        assertThat(read("password", "sesame").toString()).doesNotContain("sesame");
    }

    @Test
    void everyFaultIsSaidAtOnce() {
        assertThatThrownBy(() -> RedisSettings.of(Map.of(
                        "timeout", "2 seconds",
                        "pool-size", "0",
                        "form", "list",
                        "colour", "red",
                        "blocked-key", "stolen",
                        "user", "muster")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "uri: ", "key: ", "timeout: ", "pool-size: ", "form: ", "colour: ", "blocked-key: ", "user: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://redis.example",
                "redis:6379",
                "redis://",
                "redis://redis.example/db",
                "redis://redis.example/1?timeout=2",
                "redis://redis.example/1#x",
                "redis.example",
                "redis://a b"
            })
    void addressThatIsNoneIsAFault(String uri) {
        assertThatThrownBy(() -> read("uri", uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"redis://muster:sesame@redis.example", "redis://:sesame@redis.example", "redis://x:ses ame@y"})
    void passwordInTheAddressIsAFaultThatDoesNotRepeatIt(String uri) {
        assertThatThrownBy(() -> read("uri", uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("sesame")
                .hasMessageNotContaining("ses ame");
    }

    @ParameterizedTest
    @CsvSource({
        "key, serials",
        "key, serial:{Serial}{serial}",
        "key, serial:{}{serial}",
        "form, set",
        "form, field",
        "field, state",
        "otherwise, refused",
        "tags, site",
        "attributes, limit",
        "name-field, title",
        "blocked-key, stolen",
        "blocked-field, stolen",
        "ca-file, ca.pem"
    })
    void settingThatMakesNoSenseInTheFormIsAFault(String name, String value) {
        assertThatThrownBy(() -> read(name, value)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "tags, serial=sn",
        "tags, site=",
        "tags, =site",
        "tags, 'site, site=place'",
        "attributes, limit:float",
        "attributes, 'limit:number, limit:boolean'",
        "field, state",
        "equals, sold",
        "blocked, yes",
        "otherwise, maybe",
        "key, serials"
    })
    void mappingThatMakesNoSenseIsAFault(String name, String value) {
        assertThatThrownBy(() -> read("form", "hash", name, value)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void authorityThatCannotBeReadIsAFault(@TempDir Path directory) throws Exception {
        Path none = Files.writeString(directory.resolve("none.pem"), "nothing");
        for (Path file : new Path[] {none, directory.resolve("missing.pem"), directory}) {
            assertThatThrownBy(() -> read("uri", "rediss://redis.example", "ca-file", file.toString()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("ca-file", file.toString());
        }
    }

    @Test
    void nameOfEverySettingIsKnown() {
        assertThat(RedisSettings.NAMES).hasSize(17).doesNotContainAnyElementsOf(RedisSettings.SECRETS);
    }
}
