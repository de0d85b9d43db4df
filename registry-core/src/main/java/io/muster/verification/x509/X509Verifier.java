// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.config.Settings;
import io.muster.device.DeviceTag;
import io.muster.log.RareLog;
import io.muster.once.Nonces;
import io.muster.once.Use;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import io.muster.verification.TagWriter;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Calls a device genuine if it has a certificate for its serial from a configured authority, and the certificate's key.
 * The key is proved by a signature over a nonce of this registry, or by the TLS connection itself if that ends here.
 * {@code docs/verifiers/x509.md} has the settings and the form of the evidence. Thread-safe.
 */
public final class X509Verifier implements Prover, TagWriter {

    private static final RareLog LOG = RareLog.of(X509Verifier.class);

    /** How the certificate of the TLS connection is used. */
    private enum Connection {
        /** It is used if there is no evidence. */
        ALLOW,
        /** Only it is used. */
        REQUIRE,
        /** It is ignored. */
        IGNORE
    }

    private final String name;
    private final String evidence;
    private final Connection connection;
    private final int maxPathLength;
    private final Anchors anchors;
    private final DeviceProfile profile;
    private final Revocations revocations;
    private final PossessionProof possession;
    private final Clock clock;

    /** Reads every setting and reports faults. A verifier without authorities refuses every device. */
    X509Verifier(String name, Settings settings, URI registry, Supplier<Nonces> nonces, Clock clock) {
        this.name = name;
        this.evidence = settings.text("evidence", "x509");
        this.connection = settings.choice("connection", Connection.class, Connection.ALLOW);
        this.maxPathLength = settings.number("max-path-length", 3, 0, 8);
        this.anchors = Anchors.read(settings, "ca-file");
        this.profile = new DeviceProfile(settings);
        this.clock = clock;
        this.revocations = Revocations.read(settings, "crl-file", clock);
        this.possession = new PossessionProof(registry, nonces, clock);
    }

    @Override
    public Proof prove(Candidate candidate) {
        return prove(candidate, SerialForm.EXACT);
    }

    @Override
    public Proof prove(Candidate candidate, SerialForm serials) {
        try {
            return connection != Connection.REQUIRE && candidate.evidence().containsKey(evidence)
                    ? byEvidence(candidate, serials)
                    : byConnection(candidate, serials);
        } catch (RefusalException e) {
            return Proof.of(Verdict.refused(e.getMessage()));
        } catch (VerificationUnavailableException e) {
            throw e;
        } catch (RuntimeException | StackOverflowError e) {
            // The JDK reads certificates, which may be made to break it. A certificate that cannot be processed proves
            // nothing.
            LOG.warn(
                    name,
                    "Verifier {} could not process what a device presented: {}",
                    name,
                    e.getClass().getName());
            return Proof.of(Verdict.refused("certificate or proof cannot be processed"));
        }
    }

    @Override
    public String ownTag() {
        return DeviceTag.CERTIFICATE;
    }

    private Proof byEvidence(Candidate candidate, SerialForm serials) throws RefusalException {
        if (!(candidate.evidence().get(evidence) instanceof Map<?, ?> members)) {
            throw new RefusalException("the evidence is not an object");
        }
        if (!(members.get("proof") instanceof String proof)) {
            throw new RefusalException("the evidence has no text \"proof\"");
        }
        Anchors.Path path = validated(Chain.ofEvidence(members.get("chain"), mostCertificates()), candidate, serials);
        Use nonce =
                possession.check(proof, path.device().getPublicKey(), candidate.fleet(), candidate.serial(), serials);
        return genuine(path, List.of(nonce));
    }

    private Proof byConnection(Candidate candidate, SerialForm serials) throws RefusalException {
        if (connection == Connection.IGNORE || candidate.clientCertificates().isEmpty()) {
            return Proof.of(Verdict.unknown());
        }
        // TLS proved that the device has the key.
        return genuine(
                validated(Chain.ofConnection(candidate.clientCertificates(), mostCertificates()), candidate, serials),
                List.of());
    }

    /** Returns the limit: the device's own, those between, and the authority's, which many devices send too. */
    private int mostCertificates() {
        return 1 + maxPathLength + 1;
    }

    private Anchors.Path validated(List<X509Certificate> chain, Candidate candidate, SerialForm serials)
            throws RefusalException {
        for (X509Certificate certificate : chain) {
            profile.checkForm(certificate);
        }
        profile.checkDevice(chain.get(0), candidate.serial(), serials);
        Anchors.Path path = anchors.validate(chain, clock.instant());
        if (path.chain().size() - 1 > maxPathLength) {
            throw new RefusalException("the chain is longer than max-path-length permits");
        }
        return path;
    }

    private Proof genuine(Anchors.Path path, List<Use> uses) throws RefusalException {
        revocations.check(path);
        return new Proof(
                new Verdict.Genuine(
                        Optional.empty(), Map.of(DeviceTag.CERTIFICATE, fingerprint(path.device())), Map.of()),
                uses);
    }

    private static String fingerprint(X509Certificate certificate) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a certificate that was read from its bytes has them", e);
        }
    }
}
