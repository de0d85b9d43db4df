// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDHEncrypter;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.util.Base64URL;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.KeyAgreement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JweTest {

    private static final String TEXT = "{\"deviceId\":\"d\",\"secret\":\"s3cr3t\"}";

    private final JoseKey recipient = JoseKey.generate(KeyKind.P256);

    private static String sealed(JWEHeader header, ECKey key) throws Exception {
        JWEObject jwe = new JWEObject(header, new Payload(TEXT));
        jwe.encrypt(new ECDHEncrypter(key));
        return jwe.serialize();
    }

    private ECKey publicKey() throws Exception {
        return ECKey.parse(Map.copyOf(recipient.jwk()));
    }

    private static JWEHeader.Builder header() {
        return new JWEHeader.Builder(JWEAlgorithm.ECDH_ES, EncryptionMethod.A256GCM).contentType("json");
    }

    @Test
    void keyOfTheStandardsAppendixIsDerived() throws Exception {
        // RFC 7518 appendix C: Alice's ephemeral key, Bob's static one
        ECKey alice =
                ECKey.parse("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
                        + "\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\","
                        + "\"d\":\"0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo\"}");
        Map<String, String> bob = Map.of(
                "kty", "EC",
                "crv", "P-256",
                "x", "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
                "y", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck");
        KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
        agreement.init(alice.toECPrivateKey());
        agreement.doPhase(JoseKey.p256(bob), true);

        byte[] key = Jwe.derive(
                agreement.generateSecret(),
                "A128GCM",
                "Alice".getBytes(StandardCharsets.US_ASCII),
                "Bob".getBytes(StandardCharsets.US_ASCII),
                128);

        assertThat(Base64Url.encode(key)).isEqualTo("VqqN6vgjbSBcIijNcacQGg");
    }

    @Test
    void whatAnotherLibrarySealsIsOpened() throws Exception {
        assertThat(Jwe.open(sealed(header().build(), publicKey()), recipient))
                .asString()
                .isEqualTo(TEXT);
    }

    @Test
    void partiesOfTheAgreementCount() throws Exception {
        String sealed = sealed(
                header().agreementPartyUInfo(Base64URL.encode("Alice"))
                        .agreementPartyVInfo(Base64URL.encode("Bob"))
                        .build(),
                publicKey());

        assertThat(Jwe.open(sealed, recipient)).asString().isEqualTo(TEXT);
    }

    @Test
    void manyKeysAgree() throws Exception {
        for (int i = 0; i < 600; i++) { // one coordinate in 256 has a leading zero
            JoseKey key = JoseKey.generate(KeyKind.P256);

            assertThat(Jwe.open(sealed(header().build(), ECKey.parse(Map.copyOf(key.jwk()))), key))
                    .asString()
                    .isEqualTo(TEXT);
        }
    }

    @Test
    void anotherDeviceCannotOpenIt() throws Exception {
        String sealed = sealed(header().build(), publicKey());

        assertThatThrownBy(() -> Jwe.open(sealed, JoseKey.generate(KeyKind.P256)))
                .isInstanceOf(IOException.class)
                .hasMessage("not sealed for this device, or damaged")
                .hasNoCause();
    }

    @Test
    void changeOfAnyPartIsNoticed() throws Exception {
        String sealed = sealed(header().build(), publicKey());

        for (int i = 0; i < sealed.length(); i++) {
            char other = sealed.charAt(i) == 'A' ? 'B' : 'A';
            String changed = sealed.substring(0, i) + other + sealed.substring(i + 1);

            assertThatThrownBy(() -> Jwe.open(changed, recipient))
                    .as("character %d", i)
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void cutAnywhereIsNoticed() throws Exception {
        String sealed = sealed(header().build(), publicKey());

        for (int length = 0; length < sealed.length(); length++) {
            String cut = sealed.substring(0, length);

            assertThatThrownBy(() -> Jwe.open(cut, recipient))
                    .as("%d characters", length)
                    .isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"ECDH-ES, A128GCM", "ECDH-ES, A256CBC-HS512", "ECDH-ES+A256KW, A256GCM"})
    void otherAlgorithmsAreNotOpened(String algorithm, String encryption) throws Exception {
        String sealed =
                sealed(new JWEHeader(JWEAlgorithm.parse(algorithm), EncryptionMethod.parse(encryption)), publicKey());

        assertThatThrownBy(() -> Jwe.open(sealed, recipient)).isInstanceOf(IOException.class);
    }

    @Test
    void otherCurvesAreNotOpened() throws Exception {
        String sealed = sealed(header().build(), new ECKeyGenerator(Curve.P_384).generate());

        assertThatThrownBy(() -> Jwe.open(sealed, recipient)).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":7}",
                "{\"alg\":\"none\",\"enc\":\"A256GCM\",\"epk\":%s}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":%s,\"zip\":\"DEF\"}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":%s,\"crit\":[\"x\"]}",
                "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":%s,\"alg\":\"ECDH-ES\"}",
                "not json"
            })
    void headersOfOtherFormsAreNotOpened(String header) throws Exception {
        String own = Base64Url.encode(header.formatted(new String(Json.write(recipient.jwk()), StandardCharsets.UTF_8))
                .getBytes(StandardCharsets.UTF_8));
        String sealed = sealed(header().build(), publicKey());

        assertThatThrownBy(() -> Jwe.open(own + sealed.substring(sealed.indexOf('.')), recipient))
                .isInstanceOf(IOException.class);
    }

    @Test
    void pointThatIsNotOnTheCurveIsNotAgreedWith() {
        Map<String, Object> off = new LinkedHashMap<>(recipient.jwk());
        off.put("x", Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[32]));
        Map<String, Object> infinite = new LinkedHashMap<>(off);
        infinite.put("y", infinite.get("x"));
        Map<String, Object> tooLarge = new LinkedHashMap<>(recipient.jwk());
        byte[] ones = new byte[32];
        java.util.Arrays.fill(ones, (byte) -1);
        tooLarge.put("y", Base64Url.encode(ones));

        assertThatThrownBy(() -> JoseKey.p256(off)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> JoseKey.p256(infinite)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> JoseKey.p256(tooLarge)).isInstanceOf(IllegalArgumentException.class);
    }
}
