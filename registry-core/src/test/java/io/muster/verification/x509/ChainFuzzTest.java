// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.FuzzInput;
import io.muster.spi.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

class ChainFuzzTest {

    private static final Pki.Holder CA = Pki.authority("CN=Factory CA").issue();
    private static final Pki.Holder DEVICE =
            Pki.device("CN=" + VerifierUnderTest.SERIAL, CA).issue();

    @TempDir
    static Path directory;

    private static VerifierUnderTest verifier;

    @BeforeAll
    static void start() throws IOException {
        verifier = new VerifierUnderTest(CA.pem(Files.createTempFile(directory, "ca", ".pem")));
    }

    static Stream<byte[]> certificates() throws GeneralSecurityException {
        return Stream.of(
                DEVICE.certificate().getEncoded(),
                CA.certificate().getEncoded(),
                Pki.device("CN=" + VerifierUnderTest.SERIAL, CA)
                        .alternative(
                                new GeneralName(GeneralName.dNSName, VerifierUnderTest.SERIAL),
                                new GeneralName(GeneralName.uniformResourceIdentifier, "urn:dev:x"))
                        .issue()
                        .certificate()
                        .getEncoded(),
                // An empty sequence of purposes, which crashed another authority (CVE-2026-40097).
                Pki.device("CN=" + VerifierUnderTest.SERIAL, CA)
                        .with(Extension.extendedKeyUsage, false, new byte[] {0x30, 0})
                        .issue()
                        .certificate()
                        .getEncoded(),
                new byte[] {0x30, (byte) 0x80, 0, 0},
                new byte[0]);
    }

    @MethodSource("certificates")
    @FuzzTest
    void bytesAreReadAsTheyAreOrNotAtAllAndNoneButWhatTheAuthoritySignedIsGenuine(byte[] der)
            throws GeneralSecurityException {
        List<X509Certificate> chain;
        try {
            chain = Chain.ofEvidence(List.of(Base64.getEncoder().encodeToString(der)), 1);
        } catch (RefusalException e) {
            FuzzInput.assertMayBeLogged(e.getMessage());
            return;
        }

        assertThat(chain).hasSize(1);
        X509Certificate read = chain.get(0);
        assertThat(read.getEncoded()).isEqualTo(der);
        Verdict verdict = verifier.askByConnection(VerifierUnderTest.SERIAL, read);
        if (verdict instanceof Verdict.Genuine) {
            read.verify(CA.certificate().getPublicKey());
        } else {
            assertThat(verdict)
                    .isInstanceOfSatisfying(
                            Verdict.Refused.class, refused -> FuzzInput.assertMayBeLogged(refused.reason()));
        }
        assertThat(verifier.askByConnection("SN-0002", read)).isInstanceOf(Verdict.Refused.class);
    }
}
