// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.broker.Account.OfDevice;
import io.muster.credential.AuthenticatedDevice;
import io.muster.fleet.Topics;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The claims of access tokens for brokers that check them themselves. */
class BrokerClaimsTest {

    private static final String AUDIENCE = "https://registry.example";

    private static TestNode registry;

    @BeforeAll
    static void start() {
        registry = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "yes")
                .with("yes", candidate -> Verdict.genuine())
                .start();
        fleet("rabbits", "'brokerClaims':['rabbitmq']");
        fleet("emqx", "'brokerClaims':['emqx']");
        fleet(
                "both",
                "'brokerClaims':['rabbitmq','emqx'],"
                        + "'topics':{'publish':['{fleet}/{serial}/a:b@c'],'subscribe':['all/~x','{fleet}/{serial}']}");
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    private static void fleet(String name, String members) {
        registry.fleets()
                .put(
                        name,
                        ("{'verifiers':['yes']," + members + "}")
                                .replace('\'', '"')
                                .getBytes(StandardCharsets.UTF_8),
                        version -> true,
                        "somebody");
    }

    private static AuthenticatedDevice device(String fleet, String serial) {
        RegistrationReceipt receipt =
                registry.registrar().register(Candidate.of(new SerialNumber(serial), fleet, "127.0.0.1"));
        return registry.authenticator()
                .authenticate(receipt.key(), receipt.secret())
                .orElseThrow();
    }

    private static JsonNode claims(String token) throws MalformedJsonException {
        return Json.parse(Base64.getUrlDecoder().decode(token.split("\\.")[1]));
    }

    private static JsonNode claims(AuthenticatedDevice device) throws MalformedJsonException {
        String token = registry.tokenIssuer().issue(device);
        assertThat(registry.tokenVerifier().verify(token)).isPresent();
        return claims(token);
    }

    private static List<String> scopes(JsonNode claims) {
        return Arrays.asList(claims.path("scope").textValue().split(" "));
    }

    @Test
    void tokensOfOtherFleetsSayWhatTheyAlwaysSaid() throws MalformedJsonException {
        JsonNode claims = claims(device("default", "SN-0001"));

        assertThat(claims.fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder("iss", "sub", "aud", "iat", "exp", "jti", "client_id", "fleet");
    }

    @Test
    void rabbitMqFindsTheDevicesQueuesAndTopicsAsScopesOfTheAudience() throws MalformedJsonException {
        AuthenticatedDevice device = device("rabbits", "SN-0001");
        String id = device.deviceId().value();

        JsonNode claims = claims(device);

        assertThat(claims.path("aud").textValue()).isEqualTo(AUDIENCE);
        assertThat(claims.has("acl")).isFalse();
        assertThat(scopes(claims))
                .containsExactly(
                        AUDIENCE + ".configure:%2F/mqtt-subscription-" + id + "qos*",
                        AUDIENCE + ".configure:%2F/mqtt-will-" + id,
                        AUDIENCE + ".write:%2F/mqtt-subscription-" + id + "qos*",
                        AUDIENCE + ".write:%2F/mqtt-will-" + id,
                        AUDIENCE + ".read:%2F/mqtt-subscription-" + id + "qos*",
                        AUDIENCE + ".read:%2F/mqtt-will-" + id,
                        AUDIENCE + ".write:%2F/amq.topic/muster." + id + ".state",
                        AUDIENCE + ".read:%2F/amq.topic/muster." + id + ".command");
    }

    /** The form that EMQX documents for its authenticator by JWT, from 5.5 on. */
    @Test
    void emqxFindsTheRulesThatItIsToldAtALogin() throws MalformedJsonException {
        AuthenticatedDevice device = device("emqx", "SN-0001");
        String id = device.deviceId().value();

        JsonNode claims = claims(device);

        assertThat(claims.has("scope")).isFalse();
        assertThat(claims.path("exp").isIntegralNumber()).isTrue();
        assertThat(claims.path("acl"))
                .extracting(rule -> rule.path("permission").textValue() + " "
                        + rule.path("action").textValue() + " "
                        + rule.path("topic").textValue())
                .containsExactly(
                        "allow publish muster/" + id + "/state",
                        "allow subscribe eq muster/" + id + "/command",
                        "deny all #");
    }

    @Test
    void topicsAreThoseOfTheFleetForThisDevice() throws MalformedJsonException {
        JsonNode claims = claims(device("both", "SN-0002"));

        assertThat(scopes(claims))
                .contains(
                        AUDIENCE + ".write:%2F/amq.topic/both.SN-0002.a:b@c",
                        AUDIENCE + ".read:%2F/amq.topic/all.~x",
                        AUDIENCE + ".read:%2F/amq.topic/both.SN-0002")
                .hasSize(9);
        assertThat(claims.path("acl").toString()).contains("both/SN-0002/a:b@c", "eq all/~x", "eq both/SN-0002");
    }

    @Test
    void serialThatMeansSomethingInATopicIsInNone() throws MalformedJsonException {
        JsonNode claims = claims(device("both", "SN*.#"));

        assertThat(claims.toString()).doesNotContain("SN*");
        assertThat(scopes(claims)).hasSize(7);
        assertThat(claims.path("acl")).hasSize(2);
    }

    @Test
    void topicThatRabbitMqCouldTakeForOthersIsLeftOut() {
        DeviceId id = new DeviceId("0123456789abcdef0123456789abcdef");
        Set<String> risky = new LinkedHashSet<>(
                List.of("a.b", "a*", "a/#", "a/+/b", "#", "*", "a%2Ab", "a b", "a\"b", "", "ä", "a\u0000"));

        String scopes = RabbitMqScopes.of(new OfDevice(id, new Topics.OfDevice(risky, risky)), "muster");

        assertThat(scopes.split(" "))
                .hasSize(6)
                .allMatch(scope ->
                        scope.matches(".*%2F/mqtt-(subscription-" + id.value() + "qos\\*|will-" + id.value() + ")"));
    }

    @Test
    void documentThatChangesChangesTheNextToken() throws MalformedJsonException {
        fleet("changing", "'brokerClaims':['emqx']");
        AuthenticatedDevice device = device("changing", "SN-0003");
        assertThat(claims(device).has("acl")).isTrue();

        fleet("changing", "'brokerClaims':[]");

        assertThat(claims(device).has("acl")).isFalse();
    }

    @Test
    void longestTopicsThatADocumentMayHaveFitIntoAToken() throws MalformedJsonException {
        String topics = "'topics':{'publish':['" + "p".repeat(190) + "{deviceId}','{serial}" + "q".repeat(190)
                + "'],'subscribe':['" + "r".repeat(200) + "','" + "s".repeat(200) + "','{serial}" + "t".repeat(190)
                + "','{serial}/{fleet}']}";
        fleet("long", topics + ",'brokerClaims':['rabbitmq','emqx']");

        String token = registry.tokenIssuer().issue(device("long", "S".repeat(128)));

        assertThat(registry.tokenVerifier().verify(token)).isPresent();
        assertThat(token).hasSizeGreaterThan(5000).hasSizeLessThan(8000);
    }
}
