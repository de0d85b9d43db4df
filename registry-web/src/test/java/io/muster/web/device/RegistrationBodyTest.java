package io.muster.web.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.fleet.Wire;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RegistrationBodyTest {

    private static final Wire NESTED = new Wire(
            Optional.empty(),
            "/device/ids/0",
            Map.of("hmac", "/auth/mac", "keyId", "/auth/key"),
            Map.of(),
            Optional.empty());

    private static Candidate parse(Wire wire, String json) {
        return RegistrationBody.parse(
                json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), wire, "pumps", "192.0.2.1", List.of());
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
}
