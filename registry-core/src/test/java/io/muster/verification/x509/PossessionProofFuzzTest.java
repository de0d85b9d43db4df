// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.muster.FuzzInput;
import io.muster.json.Json;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

class PossessionProofFuzzTest {

    private static final String NONCE = "@";
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
    private static final Pki.Holder CA = Pki.authority("CN=Factory CA").issue();
    private static final Pki.Holder DEVICE =
            Pki.device("CN=" + VerifierUnderTest.SERIAL, CA).issue();

    @TempDir
    static Path directory;

    private static VerifierUnderTest verifier;
    private static String nonce;

    @BeforeAll
    static void start() {
        verifier = new VerifierUnderTest(CA.pem(directory.resolve("ca.pem")));
        nonce = verifier.nonces.issue().nonce();
    }

    static Stream<byte[]> headersAndClaims() {
        String header = "{'alg':'ES256','typ':'muster-proof+jwt'}\n";
        return FuzzInput.utf8(
                header + "{'serial':'SN-0001','aud':'https://registry.example','nonce':'@'}",
                header + "{'serial':'SN-0001','aud':['https://registry.example/'],'nonce':'@','exp':1780315200}",
                header + "{'serial':'SN-0001','aud':['https://registry.example','https://other.example'],'nonce':'@'}",
                header + "{'serial':'SN-0002','aud':'https://registry.example','nonce':'@'}",
                header + "{'serial':1,'aud':{},'nonce':[]}",
                header + "{'serial':'SN-0001','serial':'SN-0001','aud':null,'nonce':null,'exp':'@'}",
                "{'alg':'ES256','typ':'muster-proof+jwt','crit':['exp']}\n{'serial':'SN-0001'}",
                "{'alg':'ES256','typ':'muster-proof+jwt','jwk':{'kty':'EC'},'x5c':[1],'zip':'DEF'}\n{}",
                "{'alg':'HS256','typ':7}\n{}");
    }

    @MethodSource("headersAndClaims")
    @FuzzTest
    void proofAdmitsOnlyIfTheKeyOfTheDeviceSignedThisSerialThisRegistryAndThisNonce(byte[] bytes)
            throws GeneralSecurityException {
        assertRefused(ask(new String(bytes, StandardCharsets.ISO_8859_1)));

        byte[] text = new String(bytes, StandardCharsets.ISO_8859_1)
                .replace(NONCE, nonce)
                .getBytes(StandardCharsets.ISO_8859_1);
        int end = new String(text, StandardCharsets.ISO_8859_1).indexOf('\n');
        byte[] header = Arrays.copyOfRange(text, 0, Math.max(end, 0));
        byte[] claims = Arrays.copyOfRange(text, end + 1, text.length);
        String signed = BASE64.encodeToString(header) + "." + BASE64.encodeToString(claims);
        Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initSign(DEVICE.key());
        signature.update(signed.getBytes(US_ASCII));

        Verdict verdict = ask(signed + "." + BASE64.encodeToString(signature.sign()));

        if (verdict instanceof Verdict.Genuine) {
            assertThat(Json.parse(header).path("typ").textValue()).isEqualTo(PossessionProof.TYPE);
            JsonNode said = Json.parse(claims);
            assertThat(said.path("serial").textValue()).isEqualTo(VerifierUnderTest.SERIAL);
            assertThat(said.path("nonce").textValue()).isEqualTo(nonce);
            assertThat(said.path("aud").toString()).contains(VerifierUnderTest.ISSUER.toString());
        } else {
            assertRefused(verdict);
        }
    }

    private static Verdict ask(String proof) {
        return verifier.prove(VerifierUnderTest.SERIAL, proof, DEVICE.certificate())
                .verdict();
    }

    private static void assertRefused(Verdict verdict) {
        assertThat(verdict)
                .isInstanceOfSatisfying(
                        Verdict.Refused.class, refused -> FuzzInput.assertMayBeLogged(refused.reason()));
    }
}
