// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MongoSettingsTest {

    private static MongoSettings read(String... settings) {
        Map<String, String> all =
                new TreeMap<>(Map.of("uri", "mongodb://mongo.example", "database", "factory", "collection", "serials"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        return MongoSettings.of(all);
    }

    @Test
    void defaults() {
        MongoSettings settings = read();

        assertThat(settings.server().timeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(settings.server().connectTimeout()).isEqualTo(Duration.ofMillis(500));
        assertThat(settings.server().poolSize()).isEqualTo(16);
        assertThat(settings.server().authDatabase()).isEqualTo("admin");
        assertThat(settings.filter()).hasToString("{\"serial\": \"{serial}\"}");
    }

    @Test
    void passwordIsInNoText() {
        assertThat(read("user", "muster", "password", "sesame").toString()).doesNotContain("sesame");
    }

    @Test
    void everyFaultIsSaidAtOnce() {
        assertThatThrownBy(() -> MongoSettings.of(Map.of(
                        "timeout", "2 seconds",
                        "pool-size", "0",
                        "filter", "{}",
                        "colour", "red",
                        "otherwise", "maybe",
                        "user", "muster")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "uri: ",
                        "database: ",
                        "collection: ",
                        "timeout: ",
                        "pool-size: ",
                        "filter: ",
                        "colour: ",
                        "otherwise: ",
                        "user, ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://mongo.example",
                "mongodb://",
                "mongo.example",
                "mongodb://mongo.example:x",
                "mongodb://mongo.example/factory",
                "mongodb://mongo.example/?tlsInsecure=true",
                "mongodb://mongo.example/?tls=true&tlsAllowInvalidHostnames=true",
                "mongodb://mongo.example/?sslInvalidHostNameAllowed=true",
                "mongodb://192.0.2.7/?tls=true",
                "mongodb://mongo.example,192.0.2.7:27018/?tls=true",
                "mongodb://[2001:db8::1]:27018/?tls=true",
                "mongodb://[::1]/?tls=true",
                "mongodb://mongo.example/?timeoutMS=0",
                "mongodb://mongo.example/?socketTimeoutMS=0",
                "mongodb://mongo.example/?compressors=zlib"
            })
    void addressThatIsNoneOrSaysTooMuchIsAFault(String uri) {
        assertThatThrownBy(() -> read("uri", uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("uri: ");
    }

    @Test
    void addressOfAReplicaSetIsTaken() {
        assertThat(read("uri", "mongodb://a.example:27018,b.example/?replicaSet=rs0&tls=true&readPreference=primary")
                        .server())
                .hasToString("a.example:27018,b.example");
    }

    @Test
    void passwordInTheAddressIsAFaultThatDoesNotRepeatIt() {
        assertThatThrownBy(() -> read("uri", "mongodb://muster:sesame@mongo.example"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("sesame");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "serial",
                "[]",
                "{\"serial\": \"{serial}\"",
                "{\"fleet\": \"{fleet}\"}",
                "{\"{serial}\": 1}",
                "{\"serial\": \"{serial}\", \"{fleet}\": 1}",
                "{\"$where\": \"this.serial == '{serial}'\"}",
                "{\"$expr\": {\"$eq\": [\"$serial\", \"{serial}\"]}}",
                "{\"serial\": {\"$regex\": \"{serial}\"}}",
                "{\"serial\": {\"$regularExpression\": {\"pattern\": \"{serial}\", \"options\": \"\"}}}",
                "{\"serial\": /{serial}/}",
                "{\"serial\": {\"$code\": \"{serial}\"}}",
                "{\"$text\": {\"$search\": \"{serial}\"}}",
                "{\"serial\": {\"$ne\": \"{serial}\"}}",
                "{\"serial\": {\"$gte\": \"{serial}\"}}",
                "{\"$nor\": [{\"serial\": \"{serial}\"}]}",
                "{\"serial\": {\"$not\": {\"$eq\": \"{serial}\"}}}",
                "{\"serial\": {\"$in\": [\"{serial}\"]}, \"$where\": \"true\"}",
                "{\"serial\": \"{serial}\", \"$comment\": \"x\"}"
            })
    void filterThatCouldMeanMoreThanTheSerialIsAFault(String filter) {
        assertThatThrownBy(() -> read("filter", filter))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("filter: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{serial: '{serial}', sold: {$exists: true}}",
                "{\"serial\": \"{serial}\", \"state\": {\"$ne\": \"scrapped\"}, \"n\": {\"$gt\": 5}}",
                "{\"units\": {\"$elemMatch\": {\"serial\": \"{serial}\"}}}",
                "{\"_id\": \"{fleet}/{serial}\"}"
            })
    void filterThatComparesIsTaken(String filter) {
        assertThat(read("filter", filter).filter().toString()).contains("{serial}");
    }

    @ParameterizedTest
    @CsvSource({
        "database, a.b",
        "database, 'a b'",
        "collection, a$b",
        "field, state",
        "equals, sold",
        "otherwise, refused",
        "blocked, yes",
        "blocked-field, $state",
        "blocked-field, a..b",
        "name-field, 'a b'",
        "tags, serial=sn",
        "tags, =site",
        "tags, site=",
        "tags, 'site, site=place'",
        "attributes, limit=$x",
        "password, sesame",
        "auth-database, users",
        "ca-file, ca.pem"
    })
    void settingThatMakesNoSenseIsAFault(String name, String value) {
        assertThatThrownBy(() -> read(name, value)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void authorityThatCannotBeReadIsAFault() {
        assertThatThrownBy(() -> read("uri", "mongodb://mongo.example/?tls=true", "ca-file", "missing.pem"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("ca-file", "missing.pem");
    }
}
