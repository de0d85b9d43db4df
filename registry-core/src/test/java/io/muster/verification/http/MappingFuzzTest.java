// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.FuzzInput;
import io.muster.config.Settings;
import io.muster.http.Reply;
import io.muster.json.Json;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class MappingFuzzTest {

    private static final Candidate CANDIDATE = Candidates.withSerial("SN-0001");
    private static final HttpHeaders JSON =
            HttpHeaders.of(Map.of("Content-Type", List.of("application/json")), (name, value) -> true);
    private static final Map<String, String> SETTINGS = Map.of(
            "v.pointer", "/device/ok",
            "v.serial-pointer", "/device/serial",
            "v.name-pointer", "/device/name",
            "v.tags", "batch=/device/batch, first=/list/0",
            "v.attributes", "weight=/device/weight, tested=/device/tested",
            "v.otherwise", "refused");
    private static final Mapping MAPPING =
            new Mapping(Settings.of("v.", key -> Optional.ofNullable(SETTINGS.get(key))), false);

    static Stream<byte[]> bodies() {
        return FuzzInput.utf8(
                "{'device':{'ok':true,'serial':'SN-0001','name':'Pump','batch':7,'weight':1.5e3,'tested':true},'list':['a']}",
                "{'device':{'ok':false,'serial':'SN-0001'}}",
                "{'device':{'ok':'true','serial':'SN-0001'}}",
                "{'device':{'ok':true,'serial':'sn-0001'}}",
                "{'device':{'ok':true,'ok':false,'serial':'SN-0001'}}",
                "{'device':{'ok':true,'serial':'SN-0001','batch':[1],'weight':{}}}",
                "{'device':{'ok':true,'serial':'SN-0001','batch':1e999999999,'weight':-1e-999999999,'name':' '}}",
                "[[[[]]]]",
                "");
    }

    @MethodSource("bodies")
    @FuzzTest
    void replyThatIsNotExactlyTheExpectedOneNeverAdmits(byte[] body) {
        Verdict verdict;
        try {
            verdict = MAPPING.verdict(CANDIDATE, new Reply("the API: ", 200, JSON, body));
        } catch (VerificationUnavailableException e) {
            FuzzInput.assertMayBeLogged(e.getMessage());
            return;
        }
        JsonNode device = Json.parse(body).path("device");

        assertThat(device.path("serial").textValue()).isEqualTo("SN-0001");
        assertThat(verdict).isNotInstanceOf(Verdict.Unknown.class);
        if (verdict instanceof Verdict.Genuine genuine) {
            assertThat(device.path("ok").isBoolean() && device.path("ok").booleanValue())
                    .isTrue();
            assertThat(genuine.tags().keySet()).isSubsetOf("batch", "first");
            assertThat(Json.parse(Json.bytes(genuine.attributes())).size())
                    .isEqualTo(genuine.attributes().size());
        } else {
            assertThat(verdict)
                    .isInstanceOfSatisfying(
                            Verdict.Refused.class, refused -> FuzzInput.assertMayBeLogged(refused.reason()));
            assertThat(device.path("ok").isBoolean() && device.path("ok").booleanValue())
                    .isFalse();
        }
    }
}
