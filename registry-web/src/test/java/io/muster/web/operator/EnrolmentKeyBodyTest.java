// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.api.Problem.Fault;
import io.muster.problem.RegistryException;
import io.muster.verification.hmac.EnrolmentKeys;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EnrolmentKeyBodyTest {

    private static EnrolmentKeys.Draft parse(String json) {
        return EnrolmentKeyBody.parse(json.getBytes(StandardCharsets.UTF_8), "default");
    }

    private static List<Fault> faults(String json) {
        RegistryException thrown = catchThrowableOfType(RegistryException.class, () -> parse(json));
        assertThat(thrown).as(json).isNotNull();
        return thrown.faults();
    }

    @Test
    void everyMemberIsOptional() {
        EnrolmentKeys.Draft draft = parse("{}");

        assertThat(draft.fleet()).isEqualTo("default");
        assertThat(draft.id()).isEmpty();
        assertThat(draft.key()).isEmpty();
        assertThat(draft.notBefore()).isEmpty();
        assertThat(draft.notAfter()).isEmpty();
        assertThat(draft.maxUses()).isEmpty();
    }

    @Test
    void everyMemberIsRead() {
        EnrolmentKeys.Draft draft = parse(
                """
                {"id": "lot-2026.11_A", "key": "AAAAAAAAAAAAAAAAAAAAAA==", "notBefore": "2026-11-01T00:00:00.1234Z",
                 "notAfter": "2026-12-01T00:00:00+01:00", "maxUses": 5000}""");

        assertThat(draft.id()).contains("lot-2026.11_A");
        assertThat(draft.key()).get().isEqualTo(new byte[16]);
        assertThat(draft.notBefore()).contains(Instant.parse("2026-11-01T00:00:00.123Z"));
        assertThat(draft.notAfter()).contains(Instant.parse("2026-11-30T23:00:00Z"));
        assertThat(draft.maxUses()).isEqualTo(OptionalLong.of(5000));
    }

    @Test
    void allFaultsAreToldAtOnceAndTheKeyIsNotRepeated() {
        List<Fault> faults = faults(
                """
                {"id": "../x", "key": "c2hvcnQgc2VjcmV0", "notBefore": "tomorrow", "notAfter": 5, "maxUses": 0, "uses": 1}""");

        assertThat(faults)
                .extracting(Fault::pointer)
                .containsExactlyInAnyOrder("#/uses", "#/id", "#/key", "#/notBefore", "#/notAfter", "#/maxUses");
        assertThat(faults.toString()).doesNotContain("c2hvcnQg").doesNotContain("../x");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[] | #",
                "null | #",
                "{ | #",
                "{}{} | #",
                "{\"id\":\"a\",\"id\":\"b\"} | #",
                "{\"id\":null} | #/id",
                "{\"id\":\"\"} | #/id",
                "{\"id\":\".\"} | #/id",
                "{\"id\":\"-a\"} | #/id",
                "{\"id\":\"a b\"} | #/id",
                "{\"id\":\"a/b\"} | #/id",
                "{\"id\":\"é\"} | #/id",
                "{\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"} | #/id",
                "{\"key\":\"\"} | #/key",
                "{\"key\":\"AAAAAAAAAAAAAAAAAAAA\"} | #/key",
                "{\"key\":\"AAAA AAAAAAAAAAAAAAAAAA==\"} | #/key",
                "{\"key\":[]} | #/key",
                "{\"notBefore\":\"2026-11-01\"} | #/notBefore",
                "{\"notBefore\":\"-1000000000-01-01T00:00:00Z\"} | #/notBefore",
                "{\"notBefore\":\"1969-12-31T23:59:59Z\"} | #/notBefore",
                "{\"notAfter\":\"+1000000000-12-31T23:59:59Z\"} | #/notAfter",
                "{\"notAfter\":\"+10000-01-01T00:00:00Z\"} | #/notAfter",
                "{\"notBefore\":\"2026-11-01T00:00:00Z\",\"notAfter\":\"2026-11-01T00:00:00Z\"} | #/notAfter",
                "{\"maxUses\":-1} | #/maxUses",
                "{\"maxUses\":1.0} | #/maxUses",
                "{\"maxUses\":\"1\"} | #/maxUses",
                "{\"maxUses\":1000000001} | #/maxUses",
                "{\"maxUses\":99999999999999999999999999} | #/maxUses",
                "{\"notAfter\":null} | #/notAfter",
                "{\"maxUses\":null} | #/maxUses",
                "{\"Key\":\"x\"} | #/Key"
            })
    void faultPointsAtItsMember(String json, String pointer) {
        assertThat(faults(json)).extracting(Fault::pointer).containsExactly(pointer);
    }
}
