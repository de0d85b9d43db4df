// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.client.recipes.ProveWithCertificate;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class DeviceCertificateTest {

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    @AutoClose
    private final ScriptedRegistry registry = new ScriptedRegistry();

    private static KeyPair keys(String kind) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(kind.startsWith("secp") ? "EC" : kind);
        if (kind.startsWith("secp")) {
            generator.initialize(new ECGenParameterSpec(kind));
        } else if (kind.equals("RSA")) {
            generator.initialize(2048);
        }
        return generator.generateKeyPair();
    }

    @SuppressWarnings("JavaUtilDate") // Bouncy Castle wants it
    private static X509Certificate certificate(KeyPair keys) throws Exception {
        KeyPair authority = keys("secp256r1");
        return new JcaX509CertificateConverter()
                .getCertificate(new JcaX509v3CertificateBuilder(
                                new X500Name("CN=Factory"),
                                BigInteger.TWO,
                                new Date(0),
                                new Date(4_000_000_000_000L),
                                new X500Name("CN=SN-0007"),
                                keys.getPublic())
                        .build(new JcaContentSignerBuilder("SHA256withECDSA").build(authority.getPrivate())));
    }

    private Path pem(String name, String what, byte[]... ders) throws IOException {
        StringBuilder text = new StringBuilder("# made for a test\n");
        for (byte[] der : ders) {
            text.append("-----BEGIN ").append(what).append("-----\n");
            text.append(Base64.getMimeEncoder().encodeToString(der));
            text.append("\n-----END ").append(what).append("-----\n");
        }
        return Files.writeString(directory.resolve(name), text);
    }

    private DeviceClient.Builder device(DeviceCertificate certificate) {
        return registry.device(directory, time).certificate(certificate).random(() -> 0L);
    }

    private ScriptedRegistry thenNonce(String nonce) {
        return registry.then(
                200, "application/json", "{\"nonce\":\"" + nonce + "\",\"expiresAt\":\"2026-06-01T12:05:00Z\"}");
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> evidence(int request) throws IOException {
        Map<String, Object> body =
                Json.readObject(registry.requests().get(request).body().getBytes(StandardCharsets.UTF_8));
        return (Map<String, Object>) ((Map<String, Object>) body.get("evidence")).get("x509");
    }

    private static Map<String, Object> part(String proof, int part) throws IOException {
        return Json.readObject(Base64.getUrlDecoder().decode(proof.split("\\.")[part]));
    }

    @ParameterizedTest
    @CsvSource({
        "secp256r1, ES256, SHA256withECDSAinP1363Format",
        "secp384r1, ES384, SHA384withECDSAinP1363Format",
        "RSA, RS256, SHA256withRSA",
        "Ed25519, EdDSA, Ed25519"
    })
    void proofIsSignedWithTheKeyOverSerialRegistryAndNonce(String kind, String jws, String jdk) throws Exception {
        KeyPair keys = keys(kind);
        X509Certificate certificate = certificate(keys);
        X509Certificate between = certificate(keys("secp256r1"));
        Path chain = pem("chain.pem", "CERTIFICATE", certificate.getEncoded(), between.getEncoded());
        Path key = pem("key.pem", "PRIVATE KEY", keys.getPrivate().getEncoded());
        thenNonce("N-1").thenReceipt();

        device(DeviceCertificate.read(chain, key)).build().register();

        assertThat(registry.requests().get(0).path()).isEqualTo("/nonce");
        assertThat(registry.requests().get(0).method()).isEqualTo("POST");
        Map<String, Object> evidence = evidence(1);
        assertThat(evidence.get("chain"))
                .isEqualTo(List.of(
                        Base64.getEncoder().encodeToString(certificate.getEncoded()),
                        Base64.getEncoder().encodeToString(between.getEncoded())));
        String proof = (String) evidence.get("proof");
        assertThat(part(proof, 0)).isEqualTo(Map.of("alg", jws, "typ", "muster-proof+jwt"));
        assertThat(part(proof, 1))
                .isEqualTo(Map.of(
                        "serial",
                        "SN-0007",
                        "fleet",
                        "default",
                        "aud",
                        registry.uri().toString(),
                        "nonce",
                        "N-1"));
        Signature signature = Signature.getInstance(jdk);
        signature.initVerify(keys.getPublic());
        signature.update(proof.substring(0, proof.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII));
        assertThat(signature.verify(Base64.getUrlDecoder().decode(proof.substring(proof.lastIndexOf('.') + 1))))
                .isTrue();
    }

    @Test
    void everyAttemptHasANonceOfItsOwn() throws Exception {
        KeyPair keys = keys("secp256r1");
        thenNonce("N-1").thenStatus(503);
        registry.thenStatus(503);
        thenNonce("N-2").thenReceipt();

        device(DeviceCertificate.of(keys.getPrivate(), List.of(certificate(keys))))
                .build()
                .register();

        assertThat(registry.requests())
                .extracting(ScriptedRegistry.Request::path)
                .containsExactly("/nonce", "/register", "/nonce", "/nonce", "/register");
        assertThat(part((String) evidence(1).get("proof"), 1)).containsEntry("nonce", "N-1");
        assertThat(part((String) evidence(4).get("proof"), 1)).containsEntry("nonce", "N-2");
    }

    @Test
    void replyWithoutNonceIsNoAnswerAndTriedAgain() throws Exception {
        KeyPair keys = keys("secp256r1");
        registry.then(200, "application/json", "{\"nonce\":7}");
        thenNonce("N-1").thenReceipt();

        device(DeviceCertificate.of(keys.getPrivate(), List.of(certificate(keys))))
                .build()
                .register();

        assertThat(registry.requests())
                .extracting(ScriptedRegistry.Request::path)
                .containsExactly("/nonce", "/nonce", "/register");
    }

    @Test
    void proofIsForTheAddressThatWasConfiguredAndOtherEvidenceStays() throws Exception {
        KeyPair keys = keys("secp256r1");
        thenNonce("N-1").thenReceipt();

        device(DeviceCertificate.of(keys.getPrivate(), List.of(certificate(keys))))
                .audience(URI.create("https://registry.example/"))
                .evidence(() -> Map.of("lot", "L7"))
                .build()
                .register();

        assertThat(part((String) evidence(1).get("proof"), 1)).containsEntry("aud", "https://registry.example");
        assertThat(registry.requests().get(1).body()).contains("\"lot\":\"L7\"");
    }

    @Test
    void registeredDeviceAsksForNoNonce() throws Exception {
        KeyPair keys = keys("secp256r1");
        DeviceCertificate certificate = DeviceCertificate.of(keys.getPrivate(), List.of(certificate(keys)));
        thenNonce("N-1").thenReceipt();
        device(certificate).build().register();

        device(certificate).build().register();

        assertThat(registry.requests()).hasSize(2);
    }

    @Test
    void keyThatIsNotTheCertificatesIsToldAtOnce() throws Exception {
        KeyPair keys = keys("secp256r1");
        for (String kind : List.of("secp256r1", "RSA")) {
            assertThatThrownBy(() -> DeviceCertificate.of(keys(kind).getPrivate(), List.of(certificate(keys))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the key is not that of the device's certificate");
        }
        assertThatThrownBy(() -> DeviceCertificate.of(keys.getPrivate(), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
        KeyPair p521 = keys("secp521r1");
        assertThatThrownBy(() -> DeviceCertificate.of(p521.getPrivate(), List.of(certificate(p521))))
                .hasMessageContaining("of a kind that signs no proof");
    }

    @Test
    void filesWithSomethingElseAreToldWithoutTheirContent() throws Exception {
        KeyPair keys = keys("secp256r1");
        String secret = Base64.getEncoder().encodeToString(keys.getPrivate().getEncoded());
        Path chain = pem("chain.pem", "CERTIFICATE", certificate(keys).getEncoded());
        Path key = pem("key.pem", "PRIVATE KEY", keys.getPrivate().getEncoded());
        Path sec1 = pem("sec1.pem", "EC PRIVATE KEY", keys.getPrivate().getEncoded());
        Path cut = pem(
                "cut.pem",
                "PRIVATE KEY",
                java.util.Arrays.copyOf(keys.getPrivate().getEncoded(), 40));
        Path rsa = pem("rsa.pem", "PRIVATE KEY", keys("RSA").getPrivate().getEncoded());

        assertThatThrownBy(() -> DeviceCertificate.read(chain, sec1)).hasMessageContaining("openssl pkcs8");
        assertThatThrownBy(() -> DeviceCertificate.read(chain, cut)).hasMessageContaining("no private key of the kind");
        assertThatThrownBy(() -> DeviceCertificate.read(chain, rsa)).hasMessageContaining("no private key of the kind");
        assertThatThrownBy(() -> DeviceCertificate.read(key, key)).isInstanceOf(IOException.class);
        for (Path wrong : List.of(sec1, cut, rsa)) {
            assertThatThrownBy(() -> DeviceCertificate.read(chain, wrong))
                    .isInstanceOf(IOException.class)
                    .hasNoCause()
                    .hasMessageNotContaining(secret.substring(20, 40));
        }
        assertThat(DeviceCertificate.read(chain, key)).hasToString("DeviceCertificate[ES256]");
    }

    @Test
    void recipeRuns() throws Exception {
        KeyPair keys = keys("secp256r1");
        thenNonce("N-1").thenReceipt();

        ProveWithCertificate.main(new String[] {
            registry.uri().toString(),
            "SN-0007",
            directory.resolve("recipe.json").toString(),
            pem("chain.pem", "CERTIFICATE", certificate(keys).getEncoded()).toString(),
            pem("key.pem", "PRIVATE KEY", keys.getPrivate().getEncoded()).toString()
        });

        assertThat(evidence(1)).containsOnlyKeys("chain", "proof");
    }
}
