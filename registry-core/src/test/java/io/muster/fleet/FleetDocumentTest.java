package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.config.MusterConfig.Again;
import io.muster.config.MusterConfig.AttributeType;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.OnUnavailable;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.verification.VerifierPolicy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FleetDocumentTest {

    private static FleetDocument parse(String json) {
        return FleetDocument.parse(
                json.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                "pumps",
                FleetDocumentTest::fault,
                name -> false,
                FleetDocumentTest::fault);
    }

    private static Optional<String> fault(String name) {
        return name.equals("nix") ? Optional.of("is not there") : Optional.empty();
    }

    private static List<Fault> faults(String json) {
        return catchThrowableOfType(RegistryException.class, () -> parse(json)).faults();
    }

    @Test
    void whatIsLeftOutIsTheDefault() {
        assertThat(parse("{'verifiers':['database']}"))
                .isEqualTo(new FleetDocument(
                        VerifierPolicy.Rules.of(List.of("database"), 1),
                        Again.UNTIL_CONFIRMED,
                        Duration.ofDays(30),
                        "standard",
                        Optional.empty(),
                        Duration.ofMinutes(10),
                        Map.of(),
                        Map.of(),
                        Wire.PLAIN,
                        Topics.STANDARD,
                        List.of()));
    }

    @Test
    void everyMemberIsReadAndWrittenAsItWasRead() {
        FleetDocument document = parse("{'name':'pumps','verifiers':['block-list','hmac','http'],'required':2,"
                + "'onUnavailable':{'http':'skip'},'shadow':['jwt'],'timeBudget':'PT2S',"
                + "'cache':{'genuine':'PT1M','refused':'PT10S','size':500},'registerAgain':'always',"
                + "'unconfirmedLifetime':'P1D','issuer':'public-key','credentialLifetime':'P365D','rotationOverlap':'PT0S','attributes':{'temperature':'number','on':'boolean'},"
                + "'configuration':{'interval':'PT1M'},'wire':{'path':'/v2/hello','request':{'serial':'/id',"
                + "'evidence':{'hmac':'/auth/mac'}},'reply':{'user':'key','password':'secret'},'serialTag':'mac'},"
                + "'topics':{'publish':['losant/{deviceId}/state'],'subscribe':['losant/{deviceId}/command']},"
                + "'brokerClaims':['emqx','rabbitmq']}");

        assertThat(document)
                .isEqualTo(new FleetDocument(
                        new VerifierPolicy.Rules(
                                List.of("block-list", "hmac", "http"),
                                2,
                                Map.of("http", OnUnavailable.SKIP),
                                List.of("jwt"),
                                Duration.ofSeconds(2),
                                Optional.of(new VerifierPolicy.Remember(
                                        Duration.ofMinutes(1), Duration.ofSeconds(10), 500))),
                        Again.ALWAYS,
                        Duration.ofDays(1),
                        "public-key",
                        Optional.of(Duration.ofDays(365)),
                        Duration.ZERO,
                        Map.of("temperature", AttributeType.NUMBER, "on", AttributeType.BOOLEAN),
                        Map.of("interval", "PT1M"),
                        new Wire(
                                Optional.of("/v2/hello"),
                                "/id",
                                Map.of("hmac", "/auth/mac"),
                                Map.of("user", "key", "password", "secret"),
                                Optional.of("mac")),
                        new Topics(List.of("losant/{deviceId}/state"), List.of("losant/{deviceId}/command")),
                        List.of(BrokerKind.EMQX, BrokerKind.RABBITMQ)));
        assertThat(parse(Json.text(document.toJson()))).isEqualTo(document);
    }

    @Test
    void presetIsWrittenOutAndMayBeOverridden() {
        FleetDocument document =
                parse("{'verifiers':['jwt'],'wire':{'preset':'register-device','path':'/devices-api/new'}}");

        assertThat(document.wire().path()).contains("/devices-api/new");
        assertThat(document.wire().serial()).isEqualTo("/manufacturerId");
        assertThat(document.wire().evidence()).isEqualTo(Map.of("jwt", "/token"));
        assertThat(document.wire().serialTag()).contains("manufacturerId");
        assertThat(Json.text(document.toJson())).doesNotContain("preset");
        assertThat(parse(Json.text(document.toJson()))).isEqualTo(document);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    []                                                        | #
                    {                                                         | #
                    {}                                                        | #/verifiers
                    {'verifiers':[]}                                          | #/verifiers
                    {'verifiers':'database'}                                  | #/verifiers
                    {'verifiers':['nix']}                                     | #/verifiers
                    {'verifiers':['a','a']}                                   | #/verifiers/1
                    {'verifiers':['A']}                                       | #/verifiers/0
                    {'verifiers':['a'],'shadow':['nix']}                      | #/shadow
                    {'verifiers':['a'],'required':2}                          | #/required
                    {'verifiers':['a'],'required':null}                       | #/required
                    {'verifiers':['a'],'issuer':null}                         | #/issuer
                    {'verifiers':['a'],'registerAgain':null}                  | #/registerAgain
                    {'verifiers':['a'],'credentialLifetime':null}             | #/credentialLifetime
                    {'verifiers':null}                                        | #/verifiers
                    {'verifiers':['a'],'required':0}                          | #/required
                    {'verifiers':['a'],'required':1.5}                        | #/required
                    {'verifiers':['a'],'required':'1'}                        | #/required
                    {'verifiers':['a'],'onUnavailable':{'b':'skip'}}          | #/onUnavailable/b
                    {'verifiers':['a'],'onUnavailable':{'a':'admit'}}         | #/onUnavailable/a
                    {'verifiers':['a'],'timeBudget':'5s'}                     | #/timeBudget
                    {'verifiers':['a'],'timeBudget':'PT2M'}                   | #/timeBudget
                    {'verifiers':['a'],'cache':{'genuine':'P2D'}}             | #/cache/genuine
                    {'verifiers':['a'],'cache':{'life':'PT1S'}}               | #/cache/life
                    {'verifiers':['a'],'cache':true}                          | #/cache
                    {'verifiers':['a'],'registerAgain':'sometimes'}           | #/registerAgain
                    {'verifiers':['a'],'unconfirmedLifetime':'PT1S'}          | #/unconfirmedLifetime
                    {'verifiers':['a'],'issuer':'nix'}                        | #/issuer
                    {'verifiers':['a'],'issuer':'No'}                         | #/issuer
                    {'verifiers':['a'],'credentialLifetime':'PT1S'}           | #/credentialLifetime
                    {'verifiers':['a'],'rotationOverlap':'P31D'}              | #/rotationOverlap
                    {'verifiers':['a'],'attributes':{'t':'float'}}            | #/attributes/t
                    {'verifiers':['a'],'configuration':{'t':1}}               | #/configuration/t
                    {'verifiers':['a'],'name':'meters'}                       | #/name
                    {'verifiers':['a'],'verifier':'b'}                        | #/verifier
                    {'verifiers':['a'],'wire':{'preset':'nix'}}               | #/wire/preset
                    {'verifiers':['a'],'wire':{'path':'hello'}}               | #/wire/path
                    {'verifiers':['a'],'wire':{'request':{'serial':'id'}}}    | #/wire/request/serial
                    {'verifiers':['a'],'wire':{'request':{'key':'/id'}}}      | #/wire/request/key
                    {'verifiers':['a'],'wire':{'request':{'evidence':{'a':'b'}}}} | #/wire/request/evidence/a
                    {'verifiers':['a'],'wire':{'reply':{'a':'key'}}}          | #/wire/reply
                    {'verifiers':['a'],'wire':{'reply':{'a':'key','b':'secret','c':'password'}}} | #/wire/reply/c
                    {'verifiers':['a'],'wire':{'serialTag':'serial'}}         | #/wire/serialTag
                    {'verifiers':['a'],'wire':{'serialTag':'enrolmentKey'}}   | #/wire/serialTag
                    {'verifiers':['a'],'wire':{'serialTag':'certificate'}}    | #/wire/serialTag
                    {'verifiers':['a'],'wire':{'serialTag':'lot'}}            | #/wire/serialTag
                    {'verifiers':['a'],'brokerClaims':'emqx'}                 | #/brokerClaims
                    {'verifiers':['a'],'brokerClaims':null}                   | #/brokerClaims
                    {'verifiers':['a'],'brokerClaims':['emqx','vernemq']}     | #/brokerClaims/1
                    {'verifiers':['a'],'brokerClaims':['emqx','emqx']}        | #/brokerClaims/1
                    {'verifiers':['a'],'configuration':{'t':'a\\u0000b'}}     | #/configuration/t
                    {'verifiers':['a'],'configuration':{'t':'\\ud83d'}}       | #/configuration/t
                    {'verifiers':['a'],'configuration':{'t\\u0000':'a'}}      | #/configuration/t%00
                    {'verifiers':['a'],'wire':{'reply':{'a\\u0000':'key'}}}   | #/wire/reply/a%00
                    """)
    void faultIsNamedWhereItIs(String json, String pointer) {
        assertThat(faults(json)).extracting(Fault::pointer).containsExactly(pointer);
    }

    @Test
    void tokenHasRoomForItsTopics() {
        String many =
                IntStream.range(0, 18).mapToObj(i -> "'a/{deviceId}/" + i + "'").collect(Collectors.joining(","));
        String topics = "'topics':{'publish':[" + many + "],'subscribe':[]}";

        assertThat(parse("{'verifiers':['a']," + topics + ",'brokerClaims':['emqx']}")
                        .brokerClaims())
                .containsExactly(BrokerKind.EMQX);
        assertThat(faults("{'verifiers':['a']," + topics + ",'brokerClaims':['emqx','rabbitmq']}"))
                .extracting(Fault::pointer)
                .containsExactly("#/brokerClaims");
    }

    @Test
    void allFaultsAreNamedAtOnce() {
        assertThat(faults("{'verifiers':['nix'],'required':7,'timeBudget':1,'wire':{'path':'/api/v1/x'},'x':1}"))
                .extracting(Fault::pointer)
                .containsExactlyInAnyOrder("#/verifiers", "#/required", "#/timeBudget", "#/wire/path", "#/x");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/register",
                "/register/x",
                "/fleets/a/register",
                "/token",
                "/nonce",
                "/introspect",
                "/devices/me",
                "/health/live",
                "/api/v1",
                "/api/v1/fleets",
                "/.well-known/jwks.json",
                "/a/../token",
                "/a//b",
                "/a/",
                "/a b",
                "/a;b",
                "/a%2fb",
                "/a?b",
                "/",
                "",
                "/./a",
                "/1/2/3/4/5/6/7/8/9",
                "/metrics",
                "/openapi",
                "/console/x",
                "/WEB-INF/x",
                "/Token",
                "/api/v2/x",
                "/mqtt/x",
                "/claims",
                "/revoke"
            })
    void routeCannotBeOneOfTheRegistrysOwnOrSpeltInTwoWays(String path) {
        assertThat(faults("{'verifiers':['a'],'wire':{'path':'" + path + "'}}"))
                .extracting(Fault::pointer)
                .containsExactly("#/wire/path");
    }
}
