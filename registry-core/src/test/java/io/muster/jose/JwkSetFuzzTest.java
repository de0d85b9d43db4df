// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.FuzzInput;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class JwkSetFuzzTest {

    private static final String P256 =
            "{'kty':'EC','crv':'P-256','kid':'1','x':'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',"
                    + "'y':'4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM','use':'sig','key_ops':['verify']}";
    private static final String ED25519 =
            "{'kty':'OKP','crv':'Ed25519','kid':'2','x':'11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'}";
    // RFC 7515, appendix A.2.
    private static final String RSA = "{'kty':'RSA','alg':'RS256','e':'AQAB',"
            + "'n':'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql"
            + "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-K"
            + "XBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaG"
            + "NdkDwvvJvxk_-tm4IkAFfVPdQPVQ-tH8RcL8GVGsA'}";

    static Stream<byte[]> sets() {
        return FuzzInput.utf8(
                P256,
                "{'keys':[" + P256 + "," + ED25519 + "," + RSA + "]}",
                "{'keys':[{'kty':'oct','k':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}," + P256 + "]}",
                "{'keys':[{'kty':'RSA','n':'AQ','e':'AQ','d':'AQ'},{'kty':'EC','crv':'P-256','x':'','y':'='},1,null]}",
                "{'keys':[" + ED25519 + "," + ED25519 + "]}",
                "{'keys':{}}");
    }

    @MethodSource("sets")
    @FuzzTest
    void everyMemberIsAKeyThatJavaKnowsOrSaidToBeUnusableOrAFault(byte[] utf8) throws GeneralSecurityException {
        JsonNode document;
        try {
            document = Json.parse(utf8);
        } catch (MalformedJsonException e) {
            return;
        }
        JwkSet.Result read = JwkSet.read(document);

        Stream.concat(read.unusable().stream(), read.faults().stream()).forEach(FuzzInput::assertMayBeLogged);
        int members = document.has("keys") ? document.path("keys").size() : 1;
        if (read.faults().isEmpty()) {
            assertThat(read.keys().all().size() + read.unusable().size()).isEqualTo(members);
        }
        for (VerificationKey key : read.keys().all()) {
            if (key.key() instanceof PublicKey one) {
                PublicKey again = KeyFactory.getInstance(one.getAlgorithm())
                        .generatePublic(new X509EncodedKeySpec(one.getEncoded()));
                assertThat(again).isEqualTo(one);
            } else {
                assertThat(key.algorithm()).isEqualTo(VerificationKey.Algorithm.HS256);
                assertThat(key.key().getEncoded()).hasSizeGreaterThanOrEqualTo(VerificationKey.SHORTEST_SECRET);
            }
            if (read.faults().isEmpty() && key.kid().isPresent()) {
                assertThat(read.keys().find(key.algorithm(), key.kid())).isEqualTo(Optional.of(key));
            }
        }
    }
}
