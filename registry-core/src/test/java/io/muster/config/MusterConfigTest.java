// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.verification.http.HttpPki;
import io.muster.webhook.WebhookSender;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MusterConfigTest {

    private static MusterConfig read(Map<String, String> settings) {
        return MusterConfig.from(new Sources(key -> Optional.ofNullable(settings.get(key)), settings.keySet()));
    }

    private static void check(Map<String, String> settings) {
        read(settings).settings().check(settings.keySet());
    }

    @Test
    void defaults() {
        MusterConfig config = read(Map.of());

        assertThat(config.issuer()).isEqualTo(URI.create("http://127.0.0.1:8080"));
        assertThat(config.dataDir()).isEqualTo(Path.of("muster-data").toAbsolutePath());
        assertThat(config.masterKeyFile()).isEqualTo(config.dataDir().resolve("master-key"));
        assertThat(config.database().url())
                .isEqualTo("jdbc:h2:file:" + config.dataDir().resolve("muster"));
        assertThat(config.token()).isEqualTo(new MusterConfig.Token(Duration.ofMinutes(15), "http://127.0.0.1:8080"));
        assertThat(config.signingKeys())
                .isEqualTo(new MusterConfig.SigningKeys(
                        Duration.ofDays(30), Duration.ofHours(1), MusterConfig.TokenAlgorithm.ES256));
        assertThat(config.registration()).isEqualTo(new MusterConfig.Registration(400, Duration.ofMillis(50)));
        assertThat(config.limits()).isEqualTo(new MusterConfig.Limits(1000, 100, 60, Duration.ofMinutes(1)));
        assertThat(config.imports()).isEqualTo(new MusterConfig.Imports(256L << 20));
        assertThat(config.fleets()).containsOnlyKeys("default");
        MusterConfig.Fleet fleet = config.fleets().get("default");
        assertThat(fleet.verifiers()).containsExactly("database");
        assertThat(fleet.required()).isEqualTo(1);
        assertThat(fleet.again()).isEqualTo(MusterConfig.RegisterAgainRule.UNTIL_CONFIRMED);
        assertThat(fleet.unconfirmedLifetime()).isEqualTo(Duration.ofDays(30));
        check(Map.of());
    }

    @Test
    void everyKeyCanBeSet(@TempDir Path dir) throws IOException {
        Path password = Files.writeString(dir.resolve("password"), "s3cret\n");
        Map<String, String> settings = new HashMap<>();
        settings.put("muster.issuer", "https://registry.example/muster");
        settings.put("muster.data-dir", "/var/lib/muster");
        settings.put("muster.master-key-file", "/etc/muster/key");
        settings.put("muster.plugins-dir", "/etc/muster/plugins");
        settings.put("muster.database.url", "jdbc:mariadb://db/muster");
        settings.put("muster.database.user", "muster");
        settings.put("muster.database.password-file", password.toString());
        settings.put("muster.database.pool-size", "7");
        settings.put("muster.database.connect-timeout", "PT3S");
        settings.put("muster.database.start-timeout", "PT4S");
        settings.put("muster.token.lifetime", "PT5M");
        settings.put("muster.token.audience", "devices");
        settings.put("muster.token.algorithm", "eddsa");
        settings.put("muster.signing-keys.rotation", "PT10M");
        settings.put("muster.signing-keys.publish-ahead", "PT6M2S");
        settings.put("muster.registration.refused-status", "403");
        settings.put("muster.registration.refused-after", "PT0.1S");
        settings.put("muster.limits.refusals", "9");
        settings.put("muster.limits.failures", "8");
        settings.put("muster.limits.claims", "7");
        settings.put("muster.limits.window", "PT2M");
        settings.put("muster.trusted-proxies", "10.0.0.0/8,, ::1");
        settings.put("muster.import.max-size", "2MiB");
        settings.put("muster.fleets", "pumps, meters");
        settings.put("muster.fleet.pumps.verifiers", "database,acme");
        settings.put("muster.fleet.pumps.required", "2");
        settings.put("muster.fleet.pumps.register-again", "always");
        settings.put("muster.fleet.pumps.unconfirmed-lifetime", "P1D");
        settings.put("muster.fleet.pumps.attributes", "temperature:number, colour:string, on:boolean");
        settings.put("muster.fleet.pumps.wire", "register-device");
        settings.put("muster.fleet.pumps.serials", "trim, mac");
        settings.put("muster.verifiers", "acme, erp");
        settings.put("muster.fleet.pumps.configuration", "interval=PT1M, host=broker.example");

        MusterConfig config = read(settings);

        assertThat(config.issuer()).isEqualTo(URI.create("https://registry.example/muster"));
        assertThat(config.dataDir()).isEqualTo(Path.of("/var/lib/muster"));
        assertThat(config.masterKeyFile()).isEqualTo(Path.of("/etc/muster/key"));
        assertThat(config.pluginsDir()).contains(Path.of("/etc/muster/plugins"));
        assertThat(config.database())
                .isEqualTo(new MusterConfig.Database(
                        "jdbc:mariadb://db/muster",
                        Optional.of("muster"),
                        Optional.of("s3cret"),
                        7,
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(4)));
        assertThat(config.database().toString()).doesNotContain("s3cret").doesNotContain("muster,");
        assertThat(config.token()).isEqualTo(new MusterConfig.Token(Duration.ofMinutes(5), "devices"));
        assertThat(config.signingKeys())
                .isEqualTo(new MusterConfig.SigningKeys(
                        Duration.ofMinutes(10), Duration.ofSeconds(362), MusterConfig.TokenAlgorithm.EDDSA));
        assertThat(config.registration()).isEqualTo(new MusterConfig.Registration(403, Duration.ofMillis(100)));
        assertThat(config.limits()).isEqualTo(new MusterConfig.Limits(9, 8, 7, Duration.ofMinutes(2)));
        assertThat(config.trustedProxies())
                .extracting(AddressRange::toString)
                .containsExactly("10.0.0.0/8", "0:0:0:0:0:0:0:1/128");
        assertThat(config.imports()).isEqualTo(new MusterConfig.Imports(2L << 20));
        assertThat(config.fleets()).containsOnlyKeys("default", "pumps", "meters");
        assertThat(config.fleets().get("pumps"))
                .isEqualTo(new MusterConfig.Fleet(
                        "pumps",
                        List.of("database", "acme"),
                        2,
                        MusterConfig.RegisterAgainRule.ALWAYS,
                        Duration.ofDays(1),
                        Map.of(
                                "temperature", MusterConfig.AttributeType.NUMBER,
                                "colour", MusterConfig.AttributeType.STRING,
                                "on", MusterConfig.AttributeType.BOOLEAN),
                        Map.of("interval", "PT1M", "host", "broker.example"),
                        Optional.of("register-device"),
                        List.of("trim", "mac")));
        assertThat(config.fleets().get("pumps").isUnset()).isFalse();
        assertThat(config.fleets().get("meters").isUnset()).isTrue();
        assertThat(config.verifiers()).containsExactly("acme", "erp");
        config.settings().check(settings.keySet());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "muster.issuer | ftp://x | http or https address",
                "muster.issuer | https://user:pw@x | without user information",
                "muster.token.lifetime | 900 | is not a duration such as PT15M",
                "muster.token.lifetime | PT48H | is not between PT10S and PT24H",
                "muster.token.algorithm | rs256 | is none of eddsa, es256",
                "muster.signing-keys.rotation | PT9M | is not between PT10M and PT87600H",
                "muster.signing-keys.publish-ahead | PT6M1S | PT6M1S is not between PT6M2S (others keep the published"
                        + " keys for PT5M",
                "muster.signing-keys.publish-ahead | P31D | and muster.signing-keys.rotation, which is PT720H",
                "muster.database.url | jdbc:postgresql://x | must begin with jdbc:mariadb: or jdbc:h2:",
                "muster.database.pool-size | many | is not a whole number between 2 and 1000",
                "muster.database.password-file | no-such-file | cannot read no-such-file",
                "muster.registration.refused-status | 402 | must be 400, 401 or 403",
                "muster.registration.refused-status | 500 | is not a whole number between 400 and 403",
                "muster.trusted-proxies | 10.0.0.0/33 | needs 1 to 32 after the slash",
                "muster.trusted-proxies | ::1, proxy.example | \"proxy.example\" is neither an address nor a range",
                "muster.import.max-size | 5MB | is not a size such as 64KiB",
                "muster.fleets | Pumps | is not a name",
                "muster.fleet.default.required | 2 | is more than the fleet has verifiers",
                "muster.fleet.default.register-again | sometimes | is none of always, never, until-confirmed",
                "muster.fleet.default.attributes | t:float | is not name:string, name:number or name:boolean",
                "muster.fleet.default.configuration | x | is not name=value",
                "muster.tokn.lifetime | PT5M | unknown key; did you mean muster.token.lifetime?"
            })
    void faultNamesTheKeyAndWhatIsExpected(String key, String value, String expected) {
        assertThatThrownBy(() -> check(Map.of(key, value)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(expected);
    }

    @Test
    void rotationThatIsShorterThanTheTimeAheadIsOneFault() {
        assertThatThrownBy(() -> check(Map.of("muster.signing-keys.rotation", "PT10M")))
                .hasMessageContaining("has a fault")
                .hasMessageContaining("muster.signing-keys.publish-ahead: PT1H is not between PT6M2S")
                .hasMessageContaining("and muster.signing-keys.rotation, which is PT10M");
    }

    @Test
    void everyFaultIsReportedAtOnce() {
        assertThatThrownBy(() -> check(Map.of(
                        "muster.token.lifetime", "x", "muster.database.pool-size", "y", "muster.nothing-like-it", "z")))
                .hasMessageContaining("3 faults")
                .hasMessageContaining("muster.token.lifetime")
                .hasMessageContaining("muster.database.pool-size")
                .hasMessageContaining("muster.nothing-like-it");
    }

    @Test
    void everyProxyThatIsNoneIsAFaultOfItsOwn() {
        assertThatThrownBy(() -> check(Map.of("muster.trusted-proxies", "0.0.0.0/0, ::1, nginx, 10.1.0.0/8")))
                .hasMessageContaining("3 faults")
                .hasMessageContaining("0.0.0.0/0")
                .hasMessageContaining("nginx")
                .hasMessageContaining("write 10.0.0.0/8");
    }

    @Test
    void passwordIsInNoFault(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("password"), "geheim");

        assertThatThrownBy(() -> check(Map.of(
                        "muster.database.password", "geheim2", "muster.database.password-file", file.toString())))
                .hasMessageContaining("muster.database.password")
                .hasMessageNotContaining("geheim");
    }

    @Test
    void emptyValueCountsAsAbsent() {
        assertThat(read(Map.of("muster.token.lifetime", " ")).token().lifetime())
                .isEqualTo(Duration.ofMinutes(15));
    }

    @Test
    void systemPropertyBeatsEnvironmentBeatsServerBeatsFile(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("m.properties"), "a=file\nb=file\nc=file\nd=file\n");
        Properties properties = new Properties();
        properties.setProperty("a", "property");
        Map<String, String> environment = Map.of("MUSTER_CONFIG_FILE", file.toString(), "A", "env", "B", "env");
        Map<String, String> server = Map.of("a", "server", "b", "server", "c", "server");

        Sources sources = Sources.of(
                properties, environment, new Sources(key -> Optional.ofNullable(server.get(key)), server.keySet()));

        assertThat(Set.of("a", "b", "c", "d").stream()
                        .collect(Collectors.toMap(
                                key -> key, key -> sources.lookup().apply(key).orElseThrow())))
                .isEqualTo(Map.of("a", "property", "b", "env", "c", "server", "d", "file"));
    }

    @Test
    void environmentSpellsKeysAsMicroProfileConfigDoes() {
        Sources sources = Sources.of(
                new Properties(),
                Map.of("MUSTER_DATABASE_PASSWORD_FILE", "x", "muster_token_lifetime", "y"),
                Sources.none());

        assertThat(sources.lookup().apply("muster.database.password-file")).contains("x");
        assertThat(sources.lookup().apply("muster.token.lifetime")).contains("y");
    }

    @Test
    void variableThatSetsNothingIsNamedWithTheNearestKey() {
        Map<String, String> environment = Map.of(
                "MUSTER_DATABSE_URL", "x",
                "MUSTER_ELEPHANT_TRUNK_CONTROL", "x",
                "muster_token_lifetime", "PT5M",
                "MUSTER_TOKEN_AUDIENCE", "x",
                "MUSTER_CONFIG_FILE", "",
                "MUSTER_SERVICE_HOST", "10.0.0.1",
                "MUSTER_PORT_8080_TCP_ADDR", "10.0.0.1",
                "PATH", "x");
        Sources sources = Sources.of(new Properties(), environment, Sources.none());

        assertThat(MusterConfig.from(sources).settings().unknownVariables(sources.variables()))
                .containsExactly(
                        "The environment variable MUSTER_DATABSE_URL sets nothing; did you mean MUSTER_DATABASE_URL?",
                        "The environment variable MUSTER_ELEPHANT_TRUNK_CONTROL sets nothing");
        assertThatThrownBy(() -> {
                    MusterConfig faulty = MusterConfig.from(Sources.of(
                            new Properties(),
                            Map.of("MUSTER_DATABSE_URL", "x", "MUSTER_TOKEN_LIFETIME", "soon"),
                            Sources.none()));
                    faulty.settings().check(Set.of(), Set.of("MUSTER_DATABSE_URL"));
                })
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll("muster.token.lifetime", "MUSTER_DATABSE_URL sets nothing");
    }

    @Test
    void namedFileThatCannotBeReadIsAFault() {
        assertThatThrownBy(() ->
                        Sources.of(new Properties(), Map.of("MUSTER_CONFIG_FILE", "no-such-file"), Sources.none()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("no-such-file");
    }

    private static String inTheTable(Settings.Definition known) {
        return known.key()
                .replace("muster.fleet.default.", "muster.fleet.<fleet>.")
                .replace("muster.mqtt.broker.rabbit.", "muster.mqtt.broker.<broker>.");
    }

    @Test
    void brokersAreReadAndTheirFaultsAreNamed() {
        Map<String, String> good = Map.of(
                "muster.mqtt.brokers", "rabbit",
                "muster.mqtt.broker.rabbit.secret",
                        "a-secret-of-thirty-two-characters and-another-one-of-thirty-two-or-so",
                "muster.mqtt.broker.rabbit.fleets", "pumps",
                "muster.mqtt.broker.rabbit.management-url", "http://127.0.0.1:15672",
                "muster.mqtt.broker.rabbit.management-user", "muster",
                "muster.mqtt.broker.rabbit.management-password", "a password");

        MusterConfig.Broker broker = read(good).brokers().get(0);

        assertThat(broker.secrets())
                .containsExactly("a-secret-of-thirty-two-characters", "and-another-one-of-thirty-two-or-so");
        assertThat(broker.fleets()).containsExactly("pumps");
        assertThat(broker.toString() + broker.management()).doesNotContain("a-secret", "a password");
        assertBrokerFault(good, "secret", "short", "muster.mqtt.broker.rabbit.secret: must be 32 to 128");
        assertBrokerFault(good, "secret", "", "muster.mqtt.broker.rabbit.secret: is required");
        assertBrokerFault(good, "management-url", "http://broker.example", "must be https");
        assertBrokerFault(good, "management-url", "http://127.0.0.1:99999", "a port up to 65535");
        assertBrokerFault(good, "management-user", "", "management-user: is required");
        assertBrokerFault(good, "kind", "go-auth", "cannot be told");
        assertBrokerFault(good, "kind", "nix", "muster.mqtt.broker.rabbit.kind");
    }

    @Test
    void brokerThatAsksNobodyHasNoSecretAndMustBeTold() {
        Map<String, String> good = Map.of(
                "muster.mqtt.brokers", "rabbit",
                "muster.mqtt.broker.rabbit.kind", "mosquitto",
                "muster.mqtt.broker.rabbit.patterns", "true",
                "muster.mqtt.broker.rabbit.management-url", "mqtt://127.0.0.1:1883",
                "muster.mqtt.broker.rabbit.management-user", "muster",
                "muster.mqtt.broker.rabbit.management-password", "a password");

        MusterConfig.Broker broker = read(good).brokers().get(0);

        assertThat(broker.secrets()).isEmpty();
        assertThat(broker.patterns()).isTrue();
        assertBrokerFault(good, "secret", "a-secret-of-thirty-two-characters", "asks nobody");
        assertBrokerFault(good, "management-url", "mqtt://broker.example:1883", "must be mqtts");
        assertBrokerFault(good, "management-url", "http://127.0.0.1:1883", "not mqtt://host:port");
        assertBrokerFault(good, "management-url", "mqtt://127.0.0.1", "not mqtt://host:port");
        assertBrokerFault(good, "management-url", "mqtt://127.0.0.1:65536", "not mqtt://host:port");
        assertBrokerFault(good, "management-url", "", "management-url: is required");
        assertBrokerFault(good, "kind", "rabbitmq", "patterns: is of no use");
    }

    @Test
    void whomToTrustToBeABrokerIsReadFromItsFile(@TempDir Path dir) throws Exception {
        HttpPki pki = new HttpPki(dir)
                .authority("one")
                .authority("two")
                .authority("old", "-startdate", "-3d", "-validity", "1");
        Map<String, String> good = Map.of(
                "muster.mqtt.brokers", "rabbit",
                "muster.mqtt.broker.rabbit.kind", "mosquitto",
                "muster.mqtt.broker.rabbit.management-url", "mqtts://broker.example:8883",
                "muster.mqtt.broker.rabbit.management-ca-file", pki.file(pki.certificates("one", "old", "two")),
                "muster.mqtt.broker.rabbit.management-user", "muster",
                "muster.mqtt.broker.rabbit.management-password", "a password");

        assertThat(authorities(good))
                .contains(List.of((X509Certificate) pki.certificate("one"), (X509Certificate) pki.certificate("two")));
        assertThat(authorities(with(good, "management-ca-file", pki.file(pki.certificates("old")))))
                .contains(List.of());
        assertThat(authorities(with(good, "management-ca-file", ""))).isEmpty();
        String setting = "muster.mqtt.broker.rabbit.management-ca-file: ";
        assertBrokerFault(good, "management-ca-file", "no-such-file", setting + "cannot read no-such-file");
        assertBrokerFault(good, "management-ca-file", pki.file("nothing"), setting + "there is no certificate in");
        assertBrokerFault(
                good,
                "management-ca-file",
                pki.file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                setting + "a certificate in");
        assertBrokerFault(good, "management-url", "mqtt://127.0.0.1:1883", setting + "means nothing without mqtts");
    }

    @Test
    void whomToTrustMeansNothingWithoutAnAddressToTrust(@TempDir Path dir) throws Exception {
        HttpPki pki = new HttpPki(dir).authority("one");
        Map<String, String> good = Map.of(
                "muster.mqtt.brokers", "rabbit",
                "muster.mqtt.broker.rabbit.secret", "a-secret-of-thirty-two-characters");

        assertBrokerFault(good, "management-ca-file", pki.file(pki.certificates("one")), "means nothing without https");
    }

    private static Optional<List<X509Certificate>> authorities(Map<String, String> settings) {
        return read(settings).brokers().get(0).management().orElseThrow().authorities();
    }

    private static Map<String, String> with(Map<String, String> settings, String key, String value) {
        Map<String, String> changed = new HashMap<>(settings);
        changed.put("muster.mqtt.broker.rabbit." + key, value);
        return changed;
    }

    @Test
    void namesOfBrokersThatAreWrongMakeNoOtherKeyUnknown() {
        Map<String, String> settings = Map.of(
                "muster.mqtt.brokers", "Rabbit,emqx",
                "muster.mqtt.broker.emqx.secret", "a-secret-of-thirty-two-characters",
                "muster.mqtt.broker.json.secret", "a-secret-of-thirty-two-characters2");

        assertThatThrownBy(() -> check(settings))
                .hasMessageContaining("muster.mqtt.brokers: \"Rabbit\" is not a name")
                .hasMessageContaining("muster.mqtt.brokers: does not list json, which has settings")
                .hasMessageNotContaining("unknown key");
    }

    @Test
    void unreadableSecretOfBrokerIsOneFault() {
        assertThatThrownBy(() -> check(Map.of(
                        "muster.mqtt.brokers", "rabbit",
                        "muster.mqtt.broker.rabbit.secret-file", "target/no-such-file")))
                .hasMessageContaining("cannot read")
                .hasMessageNotContaining("is required");
    }

    @Test
    void whatIsWrongWithWhatTellsBrokerIsNamedOnce() {
        Map<String, String> settings = Map.of(
                "muster.mqtt.brokers", "mosquitto",
                "muster.mqtt.broker.mosquitto.kind", "mosquitto",
                "muster.mqtt.broker.mosquitto.management-url", "mqtt://broker.example:1883",
                "muster.mqtt.broker.mosquitto.management-password", "a password");

        assertThatThrownBy(() -> check(settings))
                .hasMessageContaining("2 faults")
                .hasMessageContaining("management-url: must be mqtts")
                .hasMessageContaining("management-user: is required");
    }

    private static void assertBrokerFault(Map<String, String> good, String key, String value, String fault) {
        Map<String, String> bad = new HashMap<>(good);
        bad.put("muster.mqtt.broker.rabbit." + key, value);
        assertThatThrownBy(() -> check(bad)).hasMessageContaining(fault).hasMessageNotContaining("a password");
    }

    @Test
    void tableInTheDocumentationIsTheCode() throws IOException {
        String table = Files.readString(Path.of("../docs/configuration.md"));
        MusterConfig config = read(Map.of(
                "muster.mqtt.brokers",
                "rabbit",
                "muster.mqtt.broker.rabbit.secret",
                "a-secret-of-thirty-two-characters"));
        // It reads settings of its own.
        new WebhookSender(config).close();
        Set<String> documented = table.lines()
                .filter(line -> line.startsWith("| `muster."))
                .map(line -> line.substring(line.indexOf('`') + 1, line.indexOf('`', line.indexOf('`') + 1)))
                .filter(key -> !key.startsWith("muster.verifier."))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(documented)
                .isEqualTo(config.settings().known().stream()
                        .map(known -> inTheTable(known))
                        .filter(key -> !key.equals("muster.default-issuer"))
                        .collect(Collectors.toCollection(TreeSet::new)));
        for (Settings.Definition known : config.settings().known()) {
            String key = inTheTable(known);
            if (!key.equals("muster.default-issuer")) {
                assertThat(table).contains("| `" + key + "` | " + known.otherwise() + " |");
            }
        }
    }
}
