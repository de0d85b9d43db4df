// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.config.Settings;
import io.muster.spi.WrittenText;
import io.muster.tls.Certificates;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The authorities that vouch for devices. Checks whether a chain leads to one of them: RFC 5280 section 6 as the JDK
 * implements it, with only these anchors, at a given time, without a network. Immutable.
 *
 * <p>To RFC 5280 an anchor is a name and a key. Here it is a certificate, whose other contents count too: its end, the
 * longest path below it, and the permitted names.
 */
final class Anchors {

    /** How far the clock of an authority may differ from the registry's; the same as for signers of tokens. */
    static final Duration SKEW = Duration.ofSeconds(60);

    private static final String NAME_CONSTRAINTS = "2.5.29.30";
    private static final int KEY_CERT_SIGN = 5;

    /**
     * A chain that was found valid.
     *
     * @param chain the device's own certificate first, without the anchor
     * @param anchor the issuer of the last one
     */
    record Path(List<X509Certificate> chain, X509Certificate anchor) {

        X509Certificate device() {
            return chain.get(0);
        }

        X509Certificate issuer(int certificate) {
            return certificate + 1 < chain.size() ? chain.get(certificate + 1) : anchor;
        }
    }

    private final List<X509Certificate> anchors;

    private Anchors(List<X509Certificate> anchors) {
        this.anchors = List.copyOf(anchors);
    }

    /** Reads a file of PEM certificates; faults go to the settings. */
    static Anchors read(Settings settings, String key) {
        List<X509Certificate> anchors = new ArrayList<>();
        if (settings.required(key).isEmpty()) {
            return new Anchors(anchors);
        }
        java.nio.file.Path file = java.nio.file.Path.of(settings.required(key));
        try {
            anchors.addAll(Certificates.read(file));
            if (anchors.isEmpty()) {
                settings.fault(key, file + " has no certificate");
            }
        } catch (IOException | CertificateException | RuntimeException e) {
            settings.fault(key, "cannot read certificates in PEM from " + file + " (" + WrittenText.reason(e) + ")");
        }
        for (int i = 0; i < anchors.size(); i++) {
            for (String fault : faults(anchors.get(i))) {
                settings.fault(key, "certificate " + (i + 1) + " in " + file + " " + fault);
            }
        }
        return new Anchors(anchors);
    }

    private static List<String> faults(X509Certificate anchor) {
        List<String> faults = new ArrayList<>();
        if (anchor.getVersion() != 3 || anchor.getBasicConstraints() < 0) {
            faults.add("is not that of an authority (basic constraints, cA)");
        }
        if (anchor.getKeyUsage() != null && !anchor.getKeyUsage()[KEY_CERT_SIGN]) {
            faults.add("has a key that may not sign certificates (key usage)");
        }
        if (!Keys.isStrong(anchor.getPublicKey())) {
            faults.add("has a key that is too weak or of an unknown kind");
        }
        if (anchor.getExtensionValue(NAME_CONSTRAINTS) != null && !isSelfSigned(anchor)) {
            faults.add("has name constraints, which hold in a self-signed one only");
        }
        return faults;
    }

    private static boolean isSelfSigned(X509Certificate certificate) {
        if (!certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal())) {
            return false;
        }
        try {
            certificate.verify(certificate.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /**
     * Checks a chain.
     *
     * @param presented the device's own first; its anchor may be the last
     */
    Path validate(List<X509Certificate> presented, Instant now) throws RefusalException {
        int size = presented.size();
        List<X509Certificate> chain =
                anchors.contains(presented.get(size - 1)) ? presented.subList(0, size - 1) : presented;
        if (chain.isEmpty()) {
            throw new RefusalException("the certificate is that of a configured CA");
        }
        X509Certificate last = chain.get(chain.size() - 1);
        RefusalException refusal = new RefusalException("the chain does not lead to a configured CA");
        for (X509Certificate anchor : anchors) {
            if (anchor.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
                try {
                    validate(chain, anchor, now);
                    return new Path(List.copyOf(chain), anchor);
                } catch (RefusalException e) {
                    // Two anchors may have the same name: an authority that changed its key.
                    refusal = e;
                }
            }
        }
        throw refusal;
    }

    /** Tells whether a certificate is valid by a clock within the permitted difference. */
    private static boolean isValid(X509Certificate certificate, Instant now) {
        return !now.plus(SKEW).isBefore(certificate.getNotBefore().toInstant())
                && !now.minus(SKEW).isAfter(certificate.getNotAfter().toInstant());
    }

    /**
     * Returns the time nearest to now at which all of them are valid, if each is valid by a clock within the permitted
     * difference. Otherwise, or if there is no such time, returns now, with which the JDK reports the certificate that
     * is not valid.
     */
    private static Instant within(List<X509Certificate> chain, X509Certificate anchor, Instant now) {
        Instant begin = anchor.getNotBefore().toInstant();
        Instant end = anchor.getNotAfter().toInstant();
        for (X509Certificate certificate : chain) {
            if (!isValid(certificate, now)) {
                return now;
            }
            Instant from = certificate.getNotBefore().toInstant();
            Instant to = certificate.getNotAfter().toInstant();
            begin = from.isAfter(begin) ? from : begin;
            end = to.isBefore(end) ? to : end;
        }
        if (begin.isAfter(end)) {
            return now;
        }
        if (now.isBefore(begin)) {
            return begin;
        }
        return now.isAfter(end) ? end : now;
    }

    private static void validate(List<X509Certificate> chain, X509Certificate anchor, Instant now)
            throws RefusalException {
        if (!isValid(anchor, now)) {
            throw new RefusalException("the CA's own certificate is not valid now");
        }
        if (chain.size() - 1 > anchor.getBasicConstraints()) {
            throw new RefusalException("the chain is longer than the CA permits");
        }
        List<X509Certificate> path = new ArrayList<>(chain);
        if (isSelfSigned(anchor)) {
            // As a part of the path its name constraints count; the JDK ignores those of an anchor.
            path.add(anchor);
        }
        try {
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
            parameters.setDate(Date.from(within(chain, anchor, now)));
            // Revocations checks the lists in files. The JDK's own check may use the network.
            parameters.setRevocationEnabled(false);
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
        } catch (CertPathValidatorException e) {
            String reason = e.getReason().toString().toLowerCase(Locale.ROOT).replace('_', ' ');
            throw new RefusalException("the chain is not valid: " + reason
                    + (e.getIndex() < 0 ? "" : ", certificate " + (e.getIndex() + 1)));
        } catch (CertificateException | InvalidAlgorithmParameterException e) {
            throw new RefusalException("the chain is not valid");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has PKIX", e);
        }
    }
}
