// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.jose.VerificationKey.Algorithm;
import io.muster.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JwkSetTest {

    private static final String K = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    private static final String X = "04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY";
    private static final String Y = "UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw";
    /** RFC 8037 appendix A.2. */
    private static final String ED = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    private static final String EC = "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "'}";
    private static final String OKP = "{'kty':'OKP','crv':'Ed25519','x':'" + ED + "'}";
    private static final String OCT = "{'kty':'oct','k':'" + K + "'}";

    private static JwkSet.Result read(String json) {
        return JwkSet.read(Json.parse(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void keysOfEveryTypeAreBoundToTheirAlgorithm() {
        assertThat(read(EC).keys().all())
                .singleElement()
                .extracting(VerificationKey::algorithm)
                .isEqualTo(Algorithm.ES256);
        assertThat(read(OKP).keys().all())
                .singleElement()
                .extracting(VerificationKey::algorithm)
                .isEqualTo(Algorithm.EDDSA);
        assertThat(read(OCT).keys().all())
                .singleElement()
                .extracting(VerificationKey::algorithm)
                .isEqualTo(Algorithm.HS256);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5 | #: is neither",
                "[] | #: is neither",
                "{} | #: is neither",
                "{'keys':{}} | #: is neither",
                "{'keys':[" + EC + "],'kty':'EC','keys2':1} | ",
            })
    void documentMustBeAKeyOrASet(String json, String fault) {
        if (fault == null) {
            assertThat(read(json).faults()).isEmpty();
        } else {
            assertThat(read(json).faults()).singleElement().asString().startsWith(fault);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "5",
                "{'kty':5}",
                "{'kty':'ec'}",
                "{'kty':'EC','crv':'P-384','x':'" + X + "','y':'" + Y + "'}",
                "{'kty':'EC','crv':'P-256','x':'" + Y + "','y':'" + X + "'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "=','y':'" + Y + "'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','alg':'ES384'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','alg':'HS256'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','alg':null}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','use':'enc'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','key_ops':['sign']}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','key_ops':[]}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','key_ops':'verify'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','key_ops':['verify','verify']}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','kid':''}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','kid':7}",
                "{'kty':'oct','k':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg'}",
                "{'kty':'oct'}",
                "{'kty':'oct','k':''}",
                "{'kty':'RSA','n':'rJBIp6T1YK','e':'AQAB'}",
                "{'kty':'OKP','crv':'Ed448','x':'" + ED + "'}",
                "{'kty':'OKP','crv':'X25519','x':'" + ED + "'}",
                "{'kty':'OKP','crv':'Ed25519','x':'" + ED + "AA'}",
                // 0, 1, -1, the y of order 8, 2 (on no point), and a y beyond the prime
                "{'kty':'OKP','crv':'Ed25519','x':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}",
                "{'kty':'OKP','crv':'Ed25519','x':'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}",
                "{'kty':'OKP','crv':'Ed25519','x':'7P_______________________________________38'}",
                "{'kty':'OKP','crv':'Ed25519','x':'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU'}",
                "{'kty':'OKP','crv':'Ed25519','x':'AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}",
                "{'kty':'OKP','crv':'Ed25519','x':'8P_______________________________________38'}",
            })
    void weakDamagedAndForeignKeysAreUnusable(String jwk) {
        JwkSet.Result read = read("{'keys':[" + jwk + "," + OKP + "]}");

        assertThat(read.unusable()).singleElement().asString().startsWith("#/keys/0: ");
        assertThat(read.faults()).isEmpty();
        assertThat(read.keys().all()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','d':'AA'}",
                "{'kty':'OKP','crv':'Ed25519','x':'" + ED + "','d':'AA'}",
                "{'kty':'RSA','n':'AQ','e':'AQAB','p':'AQ'}",
                "{'kty':'EC','crv':'P-256','x':'" + X + "','y':'" + Y + "','k':'" + K + "'}",
            })
    void privateMembersSpoilTheWholeSet(String jwk) {
        assertThat(read("{'keys':[" + OKP + "," + jwk + "]}").faults())
                .singleElement()
                .asString()
                .startsWith("#/keys/1: has private members");
    }

    @Test
    void sameKidTwiceSpoilsTheSet() {
        String named = EC.replace("}", ",'kid':'a'}");
        assertThat(read("{'keys':[" + named + "," + OKP.replace("}", ",'kid':'a'}") + "]}")
                        .faults())
                .containsExactly("#/keys: two keys have the same kid");
    }

    @Test
    void sharedSecretBesideAPublicKeySpoilsTheSet() {
        assertThat(read("{'keys':[" + EC + "," + OCT + "]}").faults()).hasSize(1);
    }

    @Test
    void tokenWithoutKidMeansTheOnlyKeyOfItsAlgorithm() {
        JwkSet one = read("{'keys':[" + EC.replace("}", ",'kid':'a'}") + "," + OKP + "]}")
                .keys();

        assertThat(one.find(Algorithm.ES256, Optional.empty())).isPresent();
        assertThat(one.find(Algorithm.ES256, Optional.of("a"))).isPresent();
        assertThat(one.find(Algorithm.ES256, Optional.of("b"))).isEmpty();
        assertThat(one.find(Algorithm.EDDSA, Optional.of("a"))).isEmpty();
        assertThat(one.find(Algorithm.RS256, Optional.empty())).isEmpty();
        JwkSet two = read("{'keys':[" + EC.replace("}", ",'kid':'a'}") + "," + EC.replace("}", ",'kid':'b'}") + "]}")
                .keys();
        assertThat(two.find(Algorithm.ES256, Optional.empty())).isEmpty();
        assertThat(two.find(Algorithm.ES256, Optional.of("b"))).isPresent();
    }

    @Test
    void keyShowsNothingOfItself() {
        assertThat(read(OCT).keys().all()).hasToString("[VerificationKey[HS256]]");
    }
}
