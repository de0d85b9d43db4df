// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.jwk.JWK;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JoseKeyTest {

    @ParameterizedTest
    @EnumSource
    void whatItSignsAnotherLibraryVerifies(KeyKind kind) throws Exception {
        JoseKey key = JoseKey.generate(kind);

        JWSObject signed = JWSObject.parse(key.sign(Map.of("typ", "JWT"), Map.of("sub", "AKEY")));

        assertThat(FaithfulRegistry.isSigned(signed, JWK.parse(Map.copyOf(key.jwk()))))
                .isTrue();
        assertThat(signed.getHeader().getAlgorithm().getName()).isEqualTo(kind == KeyKind.P256 ? "ES256" : "EdDSA");
        assertThat(signed.getPayload().toJSONObject()).isEqualTo(Map.of("sub", "AKEY"));
    }

    @ParameterizedTest
    @EnumSource
    void whatWasWrittenIsRead(KeyKind kind) throws Exception {
        JoseKey key = JoseKey.generate(kind);

        JoseKey read = JoseKey.read(Json.readObject(Json.write(key.write())));

        assertThat(read).isEqualTo(key);
        assertThat(read.kind()).isEqualTo(kind);
        assertThat(FaithfulRegistry.isSigned(
                        JWSObject.parse(read.sign(Map.of(), Map.of())), JWK.parse(Map.copyOf(key.jwk()))))
                .isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void halvesThatAreNotOfOnePairAreNoKey(KeyKind kind) {
        JoseKey key = JoseKey.generate(kind);
        for (KeyKind other : KeyKind.values()) {
            Map<String, Object> mixed = new LinkedHashMap<>(key.write());
            mixed.put("publicKey", JoseKey.generate(other).jwk());

            assertThatThrownBy(() -> JoseKey.read(mixed))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasNoCause()
                    .hasMessageNotContaining((String) key.write().get("privateKey"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void publicHalfHasNoPrivateMemberAndNothingPrintsIt(KeyKind kind) {
        JoseKey key = JoseKey.generate(kind);

        assertThat(key.jwk()).doesNotContainKeys("d", "privateKey");
        assertThat(key).hasToString("JoseKey[" + kind + "]");
    }
}
