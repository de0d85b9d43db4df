// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.TestClock;
import io.muster.config.Settings;
import io.muster.once.Nonces;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.verification.Proof;
import java.net.URI;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An {@link X509Verifier} with its settings, a clock that the test moves, and a device to ask it with. */
final class VerifierUnderTest {

    static final URI ISSUER = URI.create("https://registry.example");
    static final String SERIAL = "SN-0001";

    /** A clock that stands still until it is put forward. */
    final TestClock clock = new TestClock();

    final Nonces nonces = new Nonces(List.of(new byte[32]), ISSUER, clock);
    final X509Verifier verifier;

    VerifierUnderTest(Path caFile, String... settings) {
        Map<String, String> all = new HashMap<>();
        all.put("v.ca-file", caFile.toString());
        for (int i = 0; i < settings.length; i += 2) {
            all.put("v." + settings[i], settings[i + 1]);
        }
        Settings read = Settings.of("v.", key -> Optional.ofNullable(all.get(key)));
        verifier = new X509Verifier("x509", read, ISSUER, () -> nonces, clock);
        read.check(all.keySet());
    }

    /** Asks with a good proof by the device's key. */
    Verdict ask(Pki.Holder device, X509Certificate... chain) {
        return askFor(SERIAL, device, chain);
    }

    Verdict askFor(String serial, Pki.Holder device, X509Certificate... chain) {
        return prove(serial, goodProof(serial, device), chain).verdict();
    }

    Proof prove(String serial, String proof, X509Certificate... chain) {
        return verifier.prove(Candidates.withEvidence(serial, Pki.evidence(proof, chain)));
    }

    String goodProof(String serial, Pki.Holder device) {
        return Pki.proof(device, serial, ISSUER.toString(), nonces.issue().nonce());
    }

    /** Asks over a TLS connection with this chain. */
    Verdict askByConnection(String serial, X509Certificate... chain) {
        return verifier.verify(byConnection(serial, Map.of(), chain));
    }

    static Candidate byConnection(String serial, Map<String, Object> evidence, X509Certificate... chain) {
        Candidate plain = Candidates.withSerial(serial);
        return new Candidate(
                plain.serial(), plain.fleet(), Optional.empty(), evidence, List.of(chain), Candidates.ORIGIN);
    }
}
