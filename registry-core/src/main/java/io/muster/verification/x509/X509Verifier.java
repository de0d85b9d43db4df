package io.muster.verification.x509;

import io.muster.config.Settings;
import io.muster.device.DeviceTag;
import io.muster.problem.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.Strategy;
import io.muster.verification.Tagging;
import io.muster.verification.Use;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Calls genuine who has a certificate for the serial from a configured authority, and its key: proved by a signature over a nonce
 * of this registry, or by the TLS connection itself where that ends here. {@code docs/verifiers/x509.md} has the settings and the
 * form of the evidence. Thread-safe.
 */
public final class X509Verifier implements Prover, Tagging {

    private static final RareLog LOG = RareLog.of(X509Verifier.class);

    /** What the certificate of the TLS connection counts for. */
    private enum Connection {
        /** It is taken where there is no evidence. */
        ALLOW,
        /** Nothing else is taken. */
        REQUIRE,
        /** It is not looked at. */
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

    /** Reads every setting and notes what is faulty; a verifier without authorities refuses everybody. */
    public X509Verifier(String name, Settings settings, Strategy.Surroundings surroundings) {
        this.name = name;
        this.evidence = settings.text("evidence", "x509");
        this.connection = settings.choice("connection", Connection.class, Connection.ALLOW);
        this.maxPathLength = settings.number("max-path-length", 3, 0, 8);
        this.anchors = Anchors.read(settings, "ca-file");
        this.profile = new DeviceProfile(settings);
        this.clock = surroundings.clock();
        this.revocations = Revocations.read(settings, "crl-file", clock);
        this.possession = new PossessionProof(
                surroundings.issuer(), () -> surroundings.stores().get().nonces(), clock);
    }

    @Override
    public Proof prove(Candidate candidate) {
        try {
            return connection != Connection.REQUIRE && candidate.evidence().containsKey(evidence)
                    ? byEvidence(candidate)
                    : byConnection(candidate);
        } catch (RefusalException e) {
            return Proof.of(Verdict.refused(e.getMessage()));
        } catch (VerificationUnavailableException e) {
            throw e;
        } catch (RuntimeException | StackOverflowError e) {
            // Certificates are read by the JDK and may be made to break it. What cannot be processed proves nothing.
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

    private Proof byEvidence(Candidate candidate) throws RefusalException {
        if (!(candidate.evidence().get(evidence) instanceof Map<?, ?> members)) {
            throw new RefusalException("the evidence is not an object");
        }
        if (!(members.get("proof") instanceof String proof)) {
            throw new RefusalException("the evidence has no text \"proof\"");
        }
        Anchors.Path path = validated(Chain.ofEvidence(members.get("chain"), mostCertificates()), candidate);
        Use nonce = possession.check(proof, path.device().getPublicKey(), candidate.serial());
        return genuine(path, List.of(nonce));
    }

    private Proof byConnection(Candidate candidate) throws RefusalException {
        if (connection == Connection.IGNORE || candidate.clientCertificates().isEmpty()) {
            return Proof.of(Verdict.unknown());
        }
        // Whoever made the connection has the key; TLS proved it.
        return genuine(
                validated(Chain.ofConnection(candidate.clientCertificates(), mostCertificates()), candidate),
                List.of());
    }

    /** The device's own, those between, and the authority's, which many devices send too. */
    private int mostCertificates() {
        return 1 + maxPathLength + 1;
    }

    private Anchors.Path validated(List<X509Certificate> chain, Candidate candidate) throws RefusalException {
        for (X509Certificate certificate : chain) {
            profile.checkForm(certificate);
        }
        profile.checkDevice(chain.get(0), candidate.serial());
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
