// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.FuzzInput;
import io.muster.TestRegistry;
import io.muster.json.Json;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import javax.crypto.Mac;
import org.junit.jupiter.params.provider.MethodSource;

class StrictJwsFuzzTest {

    private static final VerificationKey KEY =
            VerificationKey.secret("a-secret-of-32-bytes-for-hs256..".getBytes(US_ASCII));
    private static final Clock CLOCK = Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC);
    private static final Duration SKEW = Duration.ofSeconds(60);
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

    static Stream<byte[]> headersAndClaims() {
        return FuzzInput.utf8(
                "{'alg':'HS256','typ':'JWT','kid':'1'}\n{'iss':'a','sub':'SN-0001','exp':1780315260,'nbf':1780315200.5}",
                "{'alg':'HS256'}\n{'exp':1780315139,'aud':['a','b'],'x':{'y':[null,1e400]}}",
                "{'alg':'HS256'}\n{'exp':'2026-06-01T12:00:00Z','nbf':'1','iat':true}",
                // As a long of 64 bits these are in the future.
                "{'alg':'HS256'}\n{'exp':-18446742293429236416}",
                "{'alg':'HS256'}\n{'exp':-1e30,'nbf':1e30,'iat':99999999999999999999}",
                "{'alg':'HS256'}\n{'exp':1e-999999999,'nbf':1e999999999}",
                "{'alg':'none'}\n{}",
                "{'alg':'HS256','zip':'DEF','crit':['exp']}\n{}",
                "{'alg':'ES256','jwk':{'kty':'oct','k':'AA'}}\n[]",
                "{'alg':['HS256'],'kid':null}\n{'a':1,'a':2}",
                "eyJhbGciOiJIUzI1NiJ9.e30.AA");
    }

    @MethodSource("headersAndClaims")
    @FuzzTest
    void tokenIsRefusedOrSaysWhatWasSignedAndIsNotExpired(byte[] bytes) throws GeneralSecurityException {
        String anything = new String(bytes, StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> StrictJws.claims(anything, KEY, CLOCK, SKEW))
                .isInstanceOfSatisfying(InvalidTokenException.class, e -> FuzzInput.assertMayBeLogged(e.getMessage()));

        int end = anything.indexOf('\n');
        byte[] header = Arrays.copyOfRange(bytes, 0, Math.max(end, 0));
        byte[] claims = Arrays.copyOfRange(bytes, end + 1, bytes.length);
        String signed = BASE64.encodeToString(header) + "." + BASE64.encodeToString(claims);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(KEY.key());
        byte[] signature = mac.doFinal(signed.getBytes(US_ASCII));
        JsonNode believed;
        try {
            believed = StrictJws.claims(signed + "." + BASE64.encodeToString(signature), KEY, CLOCK, SKEW);
        } catch (InvalidTokenException e) {
            FuzzInput.assertMayBeLogged(e.getMessage());
            return;
        }

        assertThat(Json.parse(header).path("alg").textValue()).isEqualTo("HS256");
        assertThat(Json.parseObject(header)).doesNotContainKeys("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip");
        assertThat(believed).isEqualTo(Json.parse(claims));
        long now = TestRegistry.NOW.getEpochSecond();
        if (believed.path("exp").isNumber()) {
            assertThat(believed.path("exp").decimalValue()).isGreaterThanOrEqualTo(BigDecimal.valueOf(now - 61));
        }
        if (believed.path("nbf").isNumber()) {
            assertThat(believed.path("nbf").decimalValue()).isLessThanOrEqualTo(BigDecimal.valueOf(now + 61));
        }
        signature[0] ^= 1;
        assertThatThrownBy(() -> StrictJws.claims(signed + "." + BASE64.encodeToString(signature), KEY, CLOCK, SKEW))
                .isInstanceOf(InvalidTokenException.class)
                .hasMessage("its signature is wrong");
    }
}
