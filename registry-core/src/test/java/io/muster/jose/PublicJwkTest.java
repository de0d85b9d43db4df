// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.muster.json.Json;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PublicJwkTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'kty':'RSA','n':'AQAB','e':'AQAB'} | it is an RSA key; accepted are EC with P-256 and Ed25519",
                "{'kty':'RSA'} | it is an RSA key; accepted are EC with P-256 and Ed25519",
                "{'kty':'EC','crv':'P-384','x':'AA','y':'AA'} | it is an EC key with P-384; accepted are EC with P-256 and Ed25519",
                "{'kty':'OKP','crv':'X25519','x':'AA'} | it is an OKP key with X25519; accepted are EC with P-256 and Ed25519",
                "{'kty':'EC','crv':'of\\u0000mine'} | it is an EC key with another curve; accepted are EC with P-256 and Ed25519",
                "{'kty':'oct','k':'AAAA'} | it is a shared secret; accepted are public keys, EC with P-256 and Ed25519",
                "{'kty':'EC','crv':'P-256','x':'AA','y':'AA','d':'AA'} | it has the private half (d); send the public half only",
                "{'kty':'RSA','n':'AA','e':'AA','d':'AA','p':'AA'} | it has the private half (d, p); send the public half only",
                "{'kty':'EC','crv':'P-256','x':'AA','y':'AA'} | x must have 32 bytes",
                "{'kty':'mine'} | kty must be EC or OKP",
                "7 | is not an object",
            })
    void keyThatCannotBeUsedIsToldWhatItIsAndWhatIsAccepted(String jwk, String expected) {
        PublicJwk.InvalidKeyException thrown = catchThrowableOfType(
                PublicJwk.InvalidKeyException.class,
                () -> PublicJwk.read(Json.parse(jwk.replace('\'', '"').getBytes(StandardCharsets.UTF_8))));

        assertThat(thrown).hasMessage(expected);
    }
}
