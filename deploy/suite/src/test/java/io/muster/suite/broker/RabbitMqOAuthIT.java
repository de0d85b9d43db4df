// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.JWTParser;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.JWTProcessor;
import io.muster.Required;
import io.muster.suite.broker.MqttParty.Message;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Signer;
import io.muster.suite.fixture.Within;
import io.muster.suite.server.MusterServer;
import io.muster.suite.server.ServerSettings;
import java.io.IOException;
import java.net.MalformedURLException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A RabbitMQ that checks access tokens itself, by the published keys and the scopes in them. It does not ask the
 * registry about a client with a token. Devices use a user name that the registry would refuse, so that it cannot be
 * the registry that admits them.
 */
@Tag("extended")
@Aside
class RabbitMqOAuthIT {

    private static final String ISSUER = "http://oauth.muster.test";
    private static final String MANAGEMENT_PASSWORD = "password-of-the-registry-at-rabbitmq";
    private static final Duration LIFE = Duration.ofSeconds(10);
    /** How long a resource server keeps the published keys. */
    private static final Duration KEPT = Duration.ofSeconds(1);

    private static RegistryUnderTest registry;
    private static ServerSettings settings;
    private static RabbitMqServer rabbit;
    private static String address;
    private static MqttParty collector;
    private static MqttParty commander;

    @BeforeAll
    static void start() throws IOException, MqttException {
        Required.there(RabbitMqServer.isInstalled(), "RabbitMQ is not installed");
        Path directory = SharedWorld.directory("rabbitmq-oauth");
        RabbitMqServer.Ports ports = RabbitMqServer.Ports.free();
        Map<String, String> properties = SharedWorld.database(directory, SharedWorld.mariaDb(), "rabbitmq_oauth");
        properties.put("muster.issuer", ISSUER);
        properties.put("muster.token.lifetime", LIFE.toString());
        properties.putAll(
                SharedWorld.broker(directory, "rabbitmq", ports.managementAddress(), "muster", MANAGEMENT_PASSWORD));
        settings = SharedWorld.settings(directory, properties);
        MusterServer server = MusterServer.start(settings);
        registry = new RegistryUnderTest(server, server.operatorToken());
        fleet("default", "[\"rabbitmq\"]");
        fleet("silent", "[]");
        rabbit = RabbitMqServer.startWithTokens(
                directory,
                ports,
                registry.base()
                        .resolve("mqtt/" + SharedWorld.listenerSecret("rabbitmq") + "/rabbitmq")
                        .toString(),
                Factory.serverFiles(directory),
                registry.base().resolve(".well-known/jwks.json"),
                ISSUER);
        address = "tcp://127.0.0.1:" + ports.mqtt();
        collector = MqttParty.connect(
                        address, "collector", "collector", BrokerContract.operator(registry, "collector", "mqtt:read"))
                .subscribe("#");
        commander = MqttParty.connect(
                address, "commander", "commander", BrokerContract.operator(registry, "commander", "mqtt:write"));
    }

    @AfterAll
    static void stop() {
        for (MqttParty party : new MqttParty[] {collector, commander}) {
            if (party != null) {
                party.close();
            }
        }
        if (rabbit != null) {
            rabbit.close();
        }
        if (registry != null) {
            registry.server().close();
        }
    }

    private static void fleet(String name, String brokers) {
        Reply written = registry.send(
                "PUT",
                "api/v1/fleets/" + name,
                ("{\"verifiers\":[\"database\"],\"brokerClaims\":" + brokers + "}").getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                RegistryUnderTest.JSON);
        assertThat(written.status()).as(written.toString()).isBetween(200, 201);
    }

    private static MqttParty byToken(String clientId, String token) throws MqttException {
        return MqttParty.connect(address, clientId, "nobody", token);
    }

    private static MqttParty byToken(Registered device) throws MqttException {
        return byToken(device.deviceId(), registry.accessToken(device));
    }

    private static String state(Registered device) {
        return BrokerContract.state(device);
    }

    private static String command(Registered device) {
        return BrokerContract.command(device);
    }

    private static void assertSpeaksAndHears(Registered device, MqttParty party, String text) throws MqttException {
        party.subscribe(command(device));
        party.publish(state(device), text);
        commander.publish(command(device), text);
        Within.within(Duration.ofSeconds(5), "the state arrives", () -> collector
                .received()
                .contains(new Message(state(device), text)));
        Within.within(Duration.ofSeconds(5), "the command arrives", () -> party.received()
                .contains(new Message(command(device), text)));
    }

    @Test
    void deviceSpeaksAndHearsOnItsOwnTopics() throws MqttException {
        Registered device = registry.newDevice();

        try (MqttParty party = byToken(device)) {
            assertSpeaksAndHears(device, party, "by token");
        }
    }

    @Test
    void nothingForeignIsDeliveredOrHeard() throws MqttException {
        Registered device = registry.newDevice();
        Registered other = registry.newDevice();
        for (String topic : List.of(
                state(other),
                command(other),
                command(device),
                state(device) + "/x",
                state(other).replace('/', '.'),
                "x",
                "muster/*/state")) {
            try (MqttParty party = byToken(device)) {
                party.publish(topic, "foreign");
            } catch (MqttException closed) {
                // It may also be acknowledged, which proves nothing.
            }
        }
        List<Message> heard = new ArrayList<>();
        for (String filter : List.of(
                command(other),
                state(other),
                "#",
                "+/+/command",
                "muster/" + device.deviceId() + "/#",
                command(other).replace('/', '.'))) {
            try (MqttParty party = byToken(device)) {
                try {
                    party.subscribe(filter);
                } catch (MqttException refused) {
                    // It may also be granted, which proves nothing.
                }
                commander.publish(command(other), "foreign command");
                commander.publish(state(device), "foreign command");
                heard.addAll(party.received());
            }
        }

        try (MqttParty party = byToken(other)) {
            assertSpeaksAndHears(other, party, "last");
        }
        assertThat(heard).isEmpty();
        assertThat(collector.received()).extracting(Message::text).doesNotContain("foreign");
    }

    @Test
    void expiredTokenIsRefusedAndALoginByItFallsAtTheNextStep() throws MqttException {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        try (MqttParty party = byToken(device.deviceId(), token)) {
            Within.within(LIFE.plusSeconds(5), "the token expires", () -> !registry.isActive(token));

            assertThat(party.isConnected()).as("nobody tells the broker when").isTrue();
            assertThatThrownBy(() -> {
                        party.subscribe(command(device));
                        party.lost(Duration.ofSeconds(5));
                        throw new IllegalStateException("it fell");
                    })
                    .isInstanceOfAny(MqttException.class, IllegalStateException.class);
        }
        assertThatThrownBy(() -> byToken(device.deviceId(), token)).isInstanceOf(MqttException.class);
    }

    @Test
    void tokenThatSaysNothingOfTopicsIsRefused() throws MqttException {
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect("silent", List.of(serial));
        Registered silent = RegistryUnderTest.receipt(serial, registry.registerIn("silent", serial));
        Registered device = registry.newDevice();
        Reply bound = registry.post(
                "token",
                RegistryUnderTest.FORM,
                "grant_type=client_credentials",
                "Authorization",
                RegistryUnderTest.basic(device.key(), device.secret()),
                "DPoP",
                Signer.make().proof("POST", ISSUER + "/token"));
        assertThat(bound.json().path("token_type").asText()).isEqualTo("DPoP");

        assertThatThrownBy(() -> byToken(silent)).isInstanceOf(MqttException.class);
        assertThatThrownBy(() -> byToken(
                        device.deviceId(), bound.json().path("access_token").asText()))
                .as("bound to a key")
                .isInstanceOf(MqttException.class);
        byToken(device).close();
    }

    @Test
    void keysThatChangeAreFetched() throws Exception {
        Registered device = registry.newDevice();
        String first = header(registry.accessToken(device)).path("kid").asText();
        byToken(device).close();

        rotate();

        assertThat(header(registry.accessToken(device)).path("kid").asText()).isNotEqualTo(first);
        byToken(device).close();
    }

    private static void rotate() {
        Reply rotated = registry.post(
                "api/v1/signing-keys/rotate",
                RegistryUnderTest.JSON,
                "{\"emergency\":true,\"reason\":\"a test\"}",
                registry.asOperator());
        assertThat(rotated.status()).as(rotated.toString()).isEqualTo(200);
    }

    private static JsonNode header(String token) throws ParseException, IOException {
        return new ObjectMapper().readTree(JWTParser.parse(token).getHeader().toString());
    }

    /** Nobody wants this, but such a broker does it; {@code docs/brokers.md} documents it. */
    @Test
    void limitTheClientIdOfAnotherIsNotRefused() throws MqttException {
        Registered device = registry.newDevice();
        Registered victim = registry.newDevice();

        try (MqttParty party = byToken(victim);
                MqttParty thief = byToken(victim.deviceId(), registry.accessToken(device))) {
            party.lost(Duration.ofSeconds(5));
            assertThat(thief.isConnected()).isTrue();
            assertThatThrownBy(() -> {
                        thief.publish(state(victim), "as another");
                        thief.lost(Duration.ofSeconds(5));
                        throw new IllegalStateException("it fell");
                    })
                    .isInstanceOfAny(MqttException.class, IllegalStateException.class);
        }
        assertThat(collector.received()).extracting(Message::text).doesNotContain("as another");
    }

    /**
     * Another limit: a revoked device is disconnected by the user name that it used, but can reconnect for as long as
     * its token lives.
     */
    @Test
    void limitWhoIsThrownOffComesBackUntilItsTokenExpires() throws MqttException {
        Registered device = registry.newDevice();
        String token = registry.accessToken(device);
        try (MqttParty party = MqttParty.connect(address, device.deviceId(), device.key(), token)) {
            assertThat(registry.change(device.deviceId(), "disable").status()).isEqualTo(200);
            party.lost(Duration.ofSeconds(5));
        }
        try (MqttParty back = MqttParty.connect(address, device.deviceId(), device.key(), token)) {
            assertThat(back.isConnected()).isTrue();
            assertThat(registry.isActive(token)).isFalse();
        }
    }

    /** It comes back with another algorithm, since it has to be started anyway. */
    @Test
    void noSessionIsLostWhileTheRegistryIsDeadForLongerThanATokenLivesAndItsNewKeyIsTaken() throws Exception {
        int each = 4;
        List<Registered> devices = new ArrayList<>();
        List<MqttParty> parties = new ArrayList<>();
        try {
            for (int i = 0; i < each; i++) {
                Registered bySecret = registry.newDevice();
                devices.add(bySecret);
                parties.add(MqttParty.connect(address, bySecret.deviceId(), bySecret.key(), bySecret.secret())
                        .subscribe(command(bySecret)));
                Registered byToken = registry.newDevice();
                devices.add(byToken);
                parties.add(byToken(byToken).subscribe(command(byToken)));
            }
            // RabbitMQ asks once of each connection whether it may publish here.
            commander.publish(command(devices.get(0)), "before");
            String token = registry.accessToken(devices.get(0));
            assertThat(header(token).path("alg").asText()).isEqualTo("ES256");
            JWTProcessor<SecurityContext> resourceServer = resourceServer(true);
            JWTProcessor<SecurityContext> impatient = resourceServer(false);
            resourceServer.process(token, null);
            impatient.process(token, null);
            long killed = System.nanoTime();
            registry.server().kill();
            try {
                Within.within(
                        Duration.ofSeconds(5),
                        "the keys should be asked for again",
                        () -> System.nanoTime() - killed > KEPT.plusMillis(500).toNanos());
                assertThat(resourceServer.process(token, null).getSubject())
                        .isEqualTo(devices.get(0).deviceId());
                assertThatThrownBy(() -> impatient.process(token, null)).isInstanceOf(KeySourceException.class);
                Within.within(
                        LIFE.plusSeconds(5),
                        "longer than a token lives",
                        () -> System.nanoTime() - killed > LIFE.plusSeconds(1).toNanos());
                assertThat(parties).allMatch(MqttParty::isConnected);
            } finally {
                Path file = Path.of(settings.environment().get("MUSTER_CONFIG_FILE"));
                Files.writeString(file, Files.readString(file) + "\nmuster.token.algorithm = eddsa\n");
                registry.server().restart();
            }
            assertThat(parties).allMatch(MqttParty::isConnected);
            for (Registered device : devices) {
                commander.publish(command(device), "after");
            }
            for (int i = 0; i < devices.size(); i++) {
                MqttParty party = parties.get(i);
                Message after = new Message(command(devices.get(i)), "after");
                Within.within(Duration.ofSeconds(5), "the command arrives at device " + i, () -> party.received()
                        .contains(after));
            }
            rotate();
            String signed = registry.accessToken(devices.get(0));
            assertThat(header(signed).path("alg").asText()).isEqualTo("EdDSA");
            byToken(devices.get(0).deviceId(), signed).close();
        } finally {
            parties.forEach(MqttParty::close);
        }
    }

    /**
     * As in {@code docs/tokens.md}, with a shorter time.
     *
     * @param patient whether it goes on with its present keys while the registry is unreachable
     */
    private static JWTProcessor<SecurityContext> resourceServer(boolean patient) throws MalformedURLException {
        JWKSourceBuilder<SecurityContext> keys = JWKSourceBuilder.create(
                        registry.base().resolve(".well-known/jwks.json").toURL())
                .cache(KEPT.toMillis(), KEPT.dividedBy(2).toMillis())
                .refreshAheadCache(false)
                .rateLimited(false);
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(
                JWSAlgorithm.ES256,
                (patient ? keys.outageTolerant(Duration.ofHours(4).toMillis()) : keys).build()));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                ISSUER, new JWTClaimsSet.Builder().issuer(ISSUER).build(), Set.of("sub", "exp")));
        return processor;
    }
}
