// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.config.MusterConfig.AttributeType;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.OnUnavailable;
import io.muster.config.MusterConfig.RegisterAgainRule;
import io.muster.fleet.ClaimRules.By;
import io.muster.fleet.ClaimRules.To;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.verification.SerialForm;
import io.muster.verification.policy.Rules;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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
                FleetDocumentTest::fault,
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
                        Rules.of(List.of("database"), 1),
                        RegisterAgainRule.UNTIL_CONFIRMED,
                        Duration.ofDays(30),
                        "standard",
                        Optional.empty(),
                        Duration.ofMinutes(10),
                        SerialForm.EXACT,
                        Optional.empty(),
                        Map.of(),
                        Map.of(),
                        DeviceTemplate.NONE,
                        Wire.PLAIN,
                        Topics.STANDARD,
                        List.of(),
                        Optional.empty(),
                        false));
    }

    @Test
    void everyMemberIsReadAndWrittenAsItWasRead() {
        FleetDocument document = parse("{'name':'pumps','verifiers':['block-list','hmac','http'],'required':2,"
                + "'onUnavailable':{'http':'skip'},'shadow':['jwt'],'timeBudget':'PT2S',"
                + "'cache':{'genuine':'PT1M','refused':'PT10S','size':500},'registerAgain':'always',"
                + "'unconfirmedLifetime':'P1D','issuer':'public-key','credentialLifetime':'P365D','rotationOverlap':'PT0S','serials':['trim','pattern:SN-(.*)'],'deviceName':'Pump"
                + " {serial}','attributes':{'temperature':'number','on':'boolean'},"
                + "'configuration':{'interval':'PT1M'},'wire':{'path':'/v2/hello','request':{'serial':'/id',"
                + "'anyText':true,'evidence':{'hmac':'/auth/mac'}},'reply':{'user':'key','password':'secret'},'serialTag':'mac',"
                + "'refusedStatus':401,'error':'message'},"
                + "'topics':{'publish':['losant/{deviceId}/state'],'subscribe':['losant/{deviceId}/command']},"
                + "'brokerClaims':['emqx','rabbitmq'],'claims':{'users':['customers','partners'],"
                + "'by':['tag','serial','code'],'tag':'manufacturerId','to':['group','user'],'release':false,"
                + "'transfer':false,'tags':['room'],'disconnect':true}}");

        assertThat(document)
                .isEqualTo(new FleetDocument(
                        new Rules(
                                List.of("block-list", "hmac", "http"),
                                2,
                                Map.of("http", OnUnavailable.SKIP),
                                List.of("jwt"),
                                Duration.ofSeconds(2),
                                Optional.of(new Rules.Remember(Duration.ofMinutes(1), Duration.ofSeconds(10), 500))),
                        RegisterAgainRule.ALWAYS,
                        Duration.ofDays(1),
                        "public-key",
                        Optional.of(Duration.ofDays(365)),
                        Duration.ZERO,
                        SerialForm.of(List.of("trim", "pattern:SN-(.*)"), true),
                        Optional.of("Pump {serial}"),
                        Map.of("temperature", AttributeType.NUMBER, "on", AttributeType.BOOLEAN),
                        Map.of("interval", "PT1M"),
                        DeviceTemplate.NONE,
                        new Wire(
                                Optional.of("/v2/hello"),
                                "/id",
                                Map.of("hmac", "/auth/mac"),
                                Map.of("user", "key", "password", "secret"),
                                Optional.of("mac"),
                                true,
                                OptionalInt.of(401),
                                Optional.of("message")),
                        new Topics(List.of("losant/{deviceId}/state"), List.of("losant/{deviceId}/command")),
                        List.of(BrokerKind.EMQX, BrokerKind.RABBITMQ),
                        Optional.of(new ClaimRules(
                                List.of("customers", "partners"),
                                List.of(By.CODE, By.SERIAL, By.TAG),
                                Optional.of("manufacturerId"),
                                List.of(To.USER, To.GROUP),
                                false,
                                false,
                                List.of("room"),
                                true)),
                        false));
        assertThat(parse(Json.text(document.toJson()))).isEqualTo(document);
    }

    private static ClaimRules claims(String json) {
        return parse("{'verifiers':['database'],'claims':" + json + "}")
                .claims()
                .orElseThrow();
    }

    private static List<Fault> faultsOfClaims(String json) {
        return faults("{'verifiers':['database'],'wire':{'serialTag':'sn'},'claims':" + json + "}");
    }

    @Test
    void claimsThatSayOnlyWhoAndHowHaveTheUsualRest() {
        assertThat(claims("{'users':['customers'],'by':['code']}"))
                .isEqualTo(new ClaimRules(
                        List.of("customers"),
                        List.of(By.CODE),
                        Optional.empty(),
                        List.of(To.USER),
                        true,
                        true,
                        List.of(),
                        false));
    }

    @Test
    void documentWithoutClaimsHasNoMemberThatEarlierVersionsDoNotKnow() {
        assertThat(parse("{'verifiers':['database']}").toJson()).doesNotContainKey("claims");
    }

    @Test
    void faultyClaimsAreRefusedWithAllTheirFaults() {
        assertThat(faultsOfClaims("{}"))
                .containsExactly(new Fault("#/claims/users", "is required"), new Fault("#/claims/by", "is required"));
        assertThat(faultsOfClaims("{'users':[],'by':[],'to':[]}"))
                .containsExactlyInAnyOrder(
                        new Fault("#/claims/users", "must name at least one"),
                        new Fault("#/claims/by", "must name at least one"),
                        new Fault("#/claims/to", "must name at least one"));
        assertThat(faultsOfClaims("{'users':['nix','customers'],'by':['tag'],'tags':['sn']}"))
                .containsExactlyInAnyOrder(
                        new Fault("#/claims/users", "the provider \"nix\" is not there"),
                        new Fault("#/claims/tag", "is required if devices are claimed by a tag"),
                        new Fault("#/claims/tags", "\"sn\" says which device it is, so owners cannot set it"));
        assertThat(faultsOfClaims("{'users':['customers'],'by':['code'],'tag':'sn'}"))
                .containsExactly(new Fault("#/claims/tag", "is only for fleets whose devices are claimed by a tag"));
        assertThat(faultsOfClaims("{'users':['customers'],'by':['tag'],'tag':'room','tags':['room']}"))
                .containsExactly(
                        new Fault("#/claims/tags", "\"room\" says which device it is, so owners cannot set it"));
        assertThat(faultsOfClaims("{'users':[1],'by':['luck'],'to':'user','tag':'owner','tags':['group','a b'],"
                        + "'release':'yes','transfer':null,'else':1}"))
                .extracting(Fault::pointer)
                .containsExactlyInAnyOrder(
                        "#/claims/users/0",
                        "#/claims/by/0",
                        "#/claims/tag",
                        "#/claims/tags/0",
                        "#/claims/tags/1",
                        "#/claims/to",
                        "#/claims/release",
                        "#/claims/transfer",
                        "#/claims/else");
        assertThat(faults("{'verifiers':['database'],'claims':[]}"))
                .containsExactly(new Fault("#/claims", "must be an object"));
    }

    @Test
    void wireThatIsWrittenLeavesWhatIsOfOwnersButOneThatIsStoredKeepsIt() {
        for (String wire : List.of(
                "{'serialTag':'owner'}",
                "{'serialTag':'group'}",
                "{'path':'/claim'}",
                "{'path':'/provision/mine'}",
                "{'path':'/ui'}")) {
            String document = "{'verifiers':['database'],'wire':" + wire + "}";

            assertThat(faults(document)).hasSize(1);
            assertThat(FleetDocument.stored(document.replace('\'', '"'), "pumps")
                            .wire())
                    .isNotEqualTo(Wire.PLAIN);
        }
    }

    @Test
    void bearerIsTheNameOfEvidence() {
        assertThat(bearer("true")).contains("user");
        assertThat(bearer("'owner'")).contains("owner");
        assertThat(bearer("false")).isEmpty();
        FleetDocument preset =
                parse("{'verifiers':['jwt'],'wire':{'preset':'register-device','request':{'bearer':'user'}}}");
        assertThat(preset.wire().bearer()).contains("user");
        assertThat(preset.wire().serial()).isEqualTo("/manufacturerId");
        assertThat(parse("{'verifiers':['jwt'],'wire':{'request':{'serial':'/id'}}}")
                        .wire()
                        .bearer())
                .isEmpty();
        for (String bad : List.of("7", "''", "' '", "['user']", "'" + "x".repeat(65) + "'")) {
            assertThat(catchThrowableOfType(RegistryException.class, () -> bearer(bad))
                            .faults())
                    .extracting(Fault::pointer)
                    .containsExactly("#/wire/request/bearer");
        }
    }

    private static Optional<String> bearer(String json) {
        FleetDocument document = parse("{'verifiers':['jwt'],'wire':{'request':{'bearer':" + json + "}}}");
        assertThat(parse(Json.text(document.toJson()))).isEqualTo(document);
        return document.wire().bearer();
    }

    @Test
    void presetIsWrittenOutAndMayBeOverridden() {
        FleetDocument document =
                parse("{'verifiers':['jwt'],'wire':{'preset':'register-device','path':'/devices-api/new'}}");

        assertThat(document.wire().path()).contains("/devices-api/new");
        assertThat(document.wire().serial()).isEqualTo("/manufacturerId");
        assertThat(document.wire().evidence()).isEqualTo(Map.of("jwt", "/token"));
        assertThat(document.wire().serialTag()).contains("manufacturerId");
        assertThat(document.wire().anyText()).isTrue();
        assertThat(document.wire().refusedStatus()).hasValue(403);
        assertThat(document.wire().error()).contains("error");
        assertThat(Json.text(document.toJson())).doesNotContain("preset");
        assertThat(parse(Json.text(document.toJson()))).isEqualTo(document);
    }

    @Test
    void presetThatAnEarlierVersionWroteOutIsThePreset() {
        String written =
                "{'path':'/api/register-device','request':{'serial':'/manufacturerId','evidence':{'jwt':'/token'}},"
                        + "'reply':{'deviceId':'deviceId','accessKey':'key','accessSecret':'secret'},'serialTag':'manufacturerId'";

        assertThat(parse("{'verifiers':['jwt'],'wire':" + written + "}}").wire())
                .isEqualTo(Wire.preset("register-device").orElseThrow());
        assertThat(parse("{'verifiers':['jwt'],'wire':" + written + ",'error':'message'}}")
                        .wire()
                        .anyText())
                .isFalse();
    }

    @Test
    void deviceIsCalledByThePatternOfTheFleet() {
        FleetDocument document =
                parse("{'verifiers':['jwt'],'deviceName':'Pump {serial}!','wire':{'preset':'register-device'}}");

        assertThat(name(document, new SerialNumber("7"))).contains("Pump 7!");
        assertThat(name(document, new SerialNumber("%%no%207"))).contains("Pump no 7!");
        assertThat(name(document, new SerialNumber("%%no%0A7"))).contains("Pump %%no%0A7!");
        assertThat(name(parse("{'verifiers':['jwt']}"), new SerialNumber("SN-0001")))
                .isEmpty();
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
                    {'verifiers':['a'],'serials':'upper'}                     | #/serials
                    {'verifiers':['a'],'serials':['lower']}                   | #/serials
                    {'verifiers':['a'],'serials':['trim','trim']}             | #/serials/1
                    {'verifiers':['a'],'serials':['pattern:SN-.*']}           | #/serials
                    {'verifiers':['a'],'serials':null}                        | #/serials
                    {'verifiers':['a'],'deviceName':'Pump'}                   | #/deviceName
                    {'verifiers':['a'],'deviceName':'{serial}{serial}'}       | #/deviceName
                    {'verifiers':['a'],'deviceName':'{serial} {id}'}          | #/deviceName
                    {'verifiers':['a'],'wire':{'refusedStatus':402}}          | #/wire/refusedStatus
                    {'verifiers':['a'],'wire':{'error':'title'}}              | #/wire/error
                    {'verifiers':['a'],'wire':{'request':{'anyText':1}}}      | #/wire/request/anyText
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

    private static Optional<String> name(FleetDocument document, SerialNumber serial) {
        return document.complete(serial, new Verdict.Genuine(Optional.empty(), Map.of(), Map.of()), LeftOut.UNSAID)
                .name();
    }
}
