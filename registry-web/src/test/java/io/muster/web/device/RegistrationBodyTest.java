// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.fleet.Wire;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import io.muster.registration.RegistrationAttempt;
import io.muster.spi.Candidate;
import io.muster.verification.SerialForm;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegistrationBodyTest {

    private static final Wire NESTED = new Wire(
            Optional.empty(),
            "/device/ids/0",
            Map.of("hmac", "/auth/mac", "keyId", "/auth/key"),
            Map.of(),
            Optional.empty(),
            false,
            OptionalInt.empty(),
            Optional.empty());

    private static final String KEY =
            "{'kty':'EC','crv':'P-256','x':'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU','y':'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'}";
    private static final String OKP = "{'kty':'OKP','crv':'Ed25519','x':'11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'}";

    private static RegistrationAttempt attempt(Wire wire, String json) {
        return RegistrationBody.parse(
                json.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                wire,
                SerialForm.of(List.of(), wire.anyText()),
                "pumps",
                "192.0.2.1",
                List.of(),
                Optional.empty(),
                false,
                assertion -> Optional.empty());
    }

    private static Candidate parse(Wire wire, String json) {
        return attempt(wire, json).candidate();
    }

    private static List<Fault> faults(Wire wire, String json) {
        return catchThrowableOfType(RegistryException.class, () -> parse(wire, json))
                .faults();
    }

    @Test
    void plainRequestHasSerialAndEvidence() {
        Candidate candidate = parse(Wire.PLAIN, "{'serial':'SN-0001','evidence':{'a':1,'b':null},'other':2}");

        assertThat(candidate.serial().value()).isEqualTo("SN-0001");
        assertThat(candidate.fleet()).isEqualTo("pumps");
        assertThat(candidate.evidence()).isEqualTo(Map.of("a", 1));
    }

    private static RegistrationAttempt withBearer(Wire wire, String json) {
        return RegistrationBody.parse(
                json.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                wire,
                SerialForm.of(List.of(), wire.anyText()),
                "pumps",
                "192.0.2.1",
                List.of(),
                Optional.of("a.b.c"),
                false,
                assertion -> Optional.empty());
    }

    private static Wire bearer(Map<String, String> evidence, String name) {
        return new Wire(
                Optional.empty(),
                "/serial",
                evidence,
                Map.of(),
                Optional.empty(),
                false,
                OptionalInt.empty(),
                Optional.empty(),
                Optional.of(name),
                OptionalInt.empty());
    }

    @Test
    void bearerTokenIsEvidenceBesideThatOfTheBody() {
        assertThat(withBearer(bearer(Map.of(), "user"), "{'serial':'SN-0001','evidence':{'a':1}}")
                        .candidate()
                        .evidence())
                .isEqualTo(Map.of("a", 1, "user", "a.b.c"));
        assertThat(withBearer(bearer(Map.of("jwt", "/token"), "owner"), "{'serial':'SN-0001','token':'x'}")
                        .candidate()
                        .evidence())
                .isEqualTo(Map.of("jwt", "x", "owner", "a.b.c"));
    }

    @Test
    void evidenceIsNotInTheBodyAndTheHeader() {
        assertThat(catchThrowableOfType(
                                RegistryException.class,
                                () -> withBearer(bearer(Map.of(), "user"), "{'serial':'','evidence':{'user':'d.e.f'}}"))
                        .faults())
                .extracting(Fault::pointer)
                .containsExactly("#/serial", "#/evidence/user");
        assertThat(catchThrowableOfType(
                                RegistryException.class,
                                () -> withBearer(
                                        bearer(Map.of("user", "/token"), "user"),
                                        "{'serial':'SN-0001','token':'d.e.f'}"))
                        .faults())
                .extracting(Fault::pointer)
                .containsExactly("#/token");
    }

    @Test
    void membersAreWhereTheFleetSays() {
        Candidate candidate = parse(
                NESTED,
                "{'device':{'ids':['SN-0001','x']},'auth':{'mac':'abc'},'serial':'SN-9999','evidence':{'x':1}}");

        assertThat(candidate.serial().value()).isEqualTo("SN-0001");
        assertThat(candidate.evidence()).isEqualTo(Map.of("hmac", "abc"));
    }

    @Test
    void evidenceThatIsNoTextAnywhereIsAFault() {
        String fault = "must have no NUL and no half of a surrogate pair";

        assertThat(faults(Wire.PLAIN, "{'serial':'SN-0001','evidence':{'a':[{'b':'\\ud83d'}]}}"))
                .containsExactly(new Fault("#/evidence", fault));
        assertThat(faults(Wire.PLAIN, "{'serial':'SN-0001','evidence':{'a\\u0000':1}}"))
                .containsExactly(new Fault("#/evidence", fault));
        assertThat(faults(NESTED, "{'device':{'ids':['SN-0001']},'auth':{'mac':'\\ude00'}}"))
                .containsExactly(new Fault("#/auth/mac", fault));
        assertThat(parse(Wire.PLAIN, "{'serial':'SN-0001','evidence':{'a':'\\ud83d\\ude00'}}")
                        .evidence())
                .containsEntry("a", "\ud83d\ude00");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            textBlock =
                    """
                    '7', 7
                    7, 7
                    7.0, 7
                    -12.50, -12.5
                    1e3, 1000
                    0.0, 0
                    'Pump 7', %%Pump%207
                    '%%Pump%207', %%%25%25Pump%25207
                    'SN-0001', SN-0001
                    """)
    void everyTextAndNumberIsAnIdentifierWhereTheFirmwareSendsThem(String value, String serial) {
        assertThat(parse(Wire.preset("register-device").orElseThrow(), "{'manufacturerId':" + value + "}")
                        .serial()
                        .value())
                .isEqualTo(serial);
    }

    @ParameterizedTest
    @ValueSource(strings = {"''", "true", "[]", "1e400", "1e-400", "1e999999999", "'a\\u0000'", "'\\ud800'"})
    void whatIsNeitherTextNorNumberIsNone(String value) {
        assertThat(faults(Wire.preset("register-device").orElseThrow(), "{'manufacturerId':" + value + "}"))
                .extracting(Fault::pointer)
                .containsExactly("#/manufacturerId");
        assertThat(faults(Wire.PLAIN, "{'serial':7}")).containsExactly(new Fault("#/serial", "must be a string"));
    }

    @Test
    void errorHasASentenceInTheMemberThatTheFirmwareReads() {
        String refused = "{'type':'urn:x','title':'Refused','status':403,'instance':'urn:uuid:1'}";
        String invalid =
                "{'title':'Invalid','errors':[{'pointer':'#/token','detail':'is required'},{'pointer':'#/x'}]}";

        assertThat(sentence(refused)).isEqualTo("Refused");
        assertThat(sentence(invalid)).isEqualTo("Invalid: #/token is required");
        assertThat(sentence("{'title':'Conflict','detail':'somebody else has it'}"))
                .isEqualTo("somebody else has it");
        assertThat(Json.parse(FleetErrors.withSentence(utf8(refused), "error")).fieldNames())
                .toIterable()
                .containsExactly("type", "title", "status", "instance", "error");
    }

    private static String sentence(String problem) {
        return Json.parse(FleetErrors.withSentence(utf8(problem), "error"))
                .path("error")
                .textValue();
    }

    private static byte[] utf8(String json) {
        return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void faultsAreNamedWhereTheFleetHasTheMember() {
        assertThat(faults(NESTED, "{'serial':'SN-0001'}")).containsExactly(new Fault("#/device/ids/0", "is required"));
        assertThat(faults(NESTED, "{'device':{'ids':[{}]}}"))
                .containsExactly(new Fault("#/device/ids/0", "must be a string"));
        assertThat(faults(Wire.preset("register-device").orElseThrow(), "{'token':'x','serial':'SN-0001'}"))
                .containsExactly(new Fault("#/manufacturerId", "is required"));
    }

    @Test
    void presetTakesTheTokenAsEvidence() {
        assertThat(parse(Wire.preset("register-device").orElseThrow(), "{'token':'x.y.z','manufacturerId':'SN-0001'}")
                        .evidence())
                .isEqualTo(Map.of("jwt", "x.y.z"));
    }

    @Test
    void keyComesWithItsProofAndNothingIsProvedYet() {
        RegistrationAttempt attempt =
                attempt(Wire.PLAIN, "{'serial':'SN-0001','publicKey':" + OKP + ",'proof':'e30.e30.AAAA'}");

        assertThat(attempt.offered()).get().satisfies(offered -> {
            // RFC 8037 appendix A.3
            assertThat(offered.key().thumbprint()).isEqualTo("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
            assertThat(offered.proof()).isEqualTo("e30.e30.AAAA");
        });
        assertThat(attempt.candidate().publicKey()).isEmpty();
    }

    @Test
    void replyIsSealedToTheKeyOfTheNamedAttempt() {
        assertThat(attempt(Wire.PLAIN, "{'serial':'SN-0001','requestId':'r1','replyKey':" + KEY + "}")
                        .seal())
                .get()
                .satisfies(seal -> assertThat(seal.requestId()).isEqualTo("r1"));
        assertThat(attempt(Wire.PLAIN, "{'serial':'SN-0001','requestId':null,'replyKey':null}")
                        .seal())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    'publicKey':KEY                                             | #/proof
                    'proof':'e30.e30.AAAA'                                      | #/publicKey
                    'publicKey':KEY,'proof':1                                   | #/proof
                    'publicKey':KEY,'proof':'e30.e30'                           | #/proof
                    'publicKey':{'kty':'oct','k':'AAAA'},'proof':'e30.e30.AAAA' | #/publicKey
                    'publicKey':{},'proof':'e30.e30.AAAA'                       | #/publicKey
                    'publicKey':'x','proof':'e30.e30.AAAA'                      | #/publicKey
                    'publicKey':PRIVATE,'proof':'e30.e30.AAAA'                  | #/publicKey
                    'replyKey':KEY                                              | #/requestId
                    'requestId':'r'                                             | #/replyKey
                    'requestId':'r','replyKey':null                             | #/replyKey
                    'requestId':'r','replyKey':OKP                              | #/replyKey
                    'requestId':'r','replyKey':PRIVATE                          | #/replyKey
                    'requestId':'','replyKey':KEY                               | #/requestId
                    'requestId':7                                               | #/requestId
                    'requestId':'a\\u0000','replyKey':KEY                        | #/requestId
                    'requestId':'a\\u001b','replyKey':KEY                        | #/requestId
                    'requestId':'\\u0085','replyKey':KEY                         | #/requestId
                    'requestId':'\\ud83d','replyKey':KEY                         | #/requestId
                    """)
    void keyThatCannotBeUsedIsAFaultWhereItIs(String members, String pointer) {
        String privateKey = OKP.replace("}", ",'d':'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'}");

        assertThat(faults(
                        Wire.PLAIN,
                        "{'serial':'SN-0001',"
                                + members.replace(":KEY", ":" + KEY)
                                        .replace(":OKP", ":" + OKP)
                                        .replace("PRIVATE", privateKey)
                                + "}"))
                .extracting(Fault::pointer)
                .contains(pointer);
    }
}
