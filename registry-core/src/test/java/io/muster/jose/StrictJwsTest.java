// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.MACSigner;
import io.muster.TestRegistry;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJwsTest {

    private static final byte[] SECRET = "a-secret-of-32-bytes-for-hs256..".getBytes(StandardCharsets.US_ASCII);
    private static final long NOW = TestRegistry.NOW.getEpochSecond();

    private static JsonNode claims(String claims) throws JOSEException {
        JWSObject token = new JWSObject(new JWSHeader(JWSAlgorithm.HS256), new Payload(claims));
        token.sign(new MACSigner(SECRET));
        return StrictJws.claims(
                token.serialize(),
                VerificationKey.secret(SECRET),
                Clock.fixed(TestRegistry.NOW, ZoneOffset.UTC),
                Duration.ofSeconds(60));
    }

    @Test
    void timesAreKeptTo() throws JOSEException {
        assertThat(claims("{\"exp\":" + (NOW + 1) + ",\"nbf\":" + NOW + ".5}")
                        .path("exp")
                        .longValue())
                .isEqualTo(NOW + 1);
        assertThatThrownBy(() -> claims("{\"exp\":" + (NOW - 61) + "}")).hasMessage("it has expired");
        assertThatThrownBy(() -> claims("{\"nbf\":" + (NOW + 61) + "}")).hasMessage("it is not valid yet");
    }

    @ParameterizedTest
    @ValueSource(strings = {"no claims", "[1]", "7", "", "{\"exp\":\"soon\"}", "{\"a\":1,\"a\":2}"})
    void whatCannotBeCheckedIsToldInWordsForPeople(String claims) {
        assertThatThrownBy(() -> claims(claims))
                .isInstanceOf(InvalidTokenException.class)
                .message()
                .startsWith("it")
                .doesNotContain("Exception")
                .doesNotContain("(");
    }

    @Test
    void timeLongPastThatIsToComeIn64BitsIsNoTime() {
        BigInteger past = BigInteger.valueOf(NOW + 1000).subtract(BigInteger.TWO.pow(64));

        assertThatThrownBy(() -> claims("{\"exp\":" + past + "}"))
                .isInstanceOf(InvalidTokenException.class)
                .hasMessage("its exp is not a time");
    }

    @ParameterizedTest
    @ValueSource(strings = {"18446744075489866816", "-18446744071929236416", "1e30", "\"2026\"", "true", "null"})
    void whatIsNoTimeIsRefused(String nbf) {
        assertThatThrownBy(() -> claims("{\"nbf\":" + nbf + "}")).isInstanceOf(InvalidTokenException.class);
    }
}
