// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.config.Settings;
import io.muster.spi.VerificationUnavailableException;
import io.muster.spi.WrittenText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CRL;
import java.security.cert.CRLException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Revocation lists from files. The files are checked for changes every few seconds, when a device asks, and read again
 * if they have changed. This does not use the JDK's revocation check, because that may fetch from addresses in a
 * certificate. Thread-safe.
 */
final class Revocations {

    /** How long a change of a file may go unnoticed. */
    static final Duration INTERVAL = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(Revocations.class);
    private static final long MAX_FILE = 64L * 1024 * 1024;
    private static final int CRL_SIGN = 6;
    private static final int MAX_SIGNERS = 1000;

    /** The properties of a file when it was read. */
    private record Stamp(FileTime modified, long size, Object fileKey) {

        static Stamp of(Path file) throws IOException {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
        }
    }

    /** A list, and the keys whose signature it was found to have. Checking takes time in proportion to the list. */
    private record Listed(X509CRL crl, Map<PublicKey, Boolean> signedBy) {

        boolean isSignedBy(X509Certificate issuer) {
            if (signedBy.size() > MAX_SIGNERS) {
                signedBy.clear();
            }
            return signedBy.computeIfAbsent(issuer.getPublicKey(), key -> {
                try {
                    crl.verify(key);
                    return true;
                } catch (GeneralSecurityException | RuntimeException e) {
                    return false;
                }
            });
        }
    }

    /** The content of the files; the fault is empty if all could be read. */
    private record Content(List<Listed> lists, List<Stamp> stamps, Optional<String> fault) {}

    private final List<Path> files;
    private final Clock clock;
    private volatile Content content;
    private volatile Instant lookedAt;

    private Revocations(List<Path> files, Clock clock) {
        this.files = List.copyOf(files);
        this.clock = clock;
        this.content = read();
        this.lookedAt = clock.instant();
    }

    /**
     * Reads the files that a setting names, if any. They change while the registry runs. So a missing or outdated file
     * is no fault of the configuration: it is logged, and reported at each check.
     */
    static Revocations read(Settings settings, String key, Clock clock) {
        List<Path> files = new ArrayList<>();
        for (String file : settings.list(key)) {
            try {
                files.add(Path.of(file));
            } catch (InvalidPathException e) {
                settings.fault(key, "\"" + file + "\" is not a path");
            }
        }
        return new Revocations(files, clock);
    }

    /**
     * Checks every certificate of a chain that was found valid. Without files nothing is ever revoked.
     *
     * @throws RefusalException if one is revoked
     * @throws VerificationUnavailableException if a file cannot be read, or an issuer has no list that is valid now
     */
    void check(Anchors.Path path) throws RefusalException {
        if (files.isEmpty()) {
            return;
        }
        Content current = current();
        Optional<String> missing = current.fault();
        for (int i = 0; i < path.chain().size(); i++) {
            Optional<X509CRL> list = newest(current, path.issuer(i));
            if (list.isEmpty()) {
                missing = missing.or(() -> Optional.of("the issuer of a certificate has no list that is valid now"));
            } else if (list.get().getRevokedCertificate(path.chain().get(i).getSerialNumber()) != null) {
                // A revoked certificate is refused even if another list is missing.
                throw new RefusalException("certificate " + (i + 1) + " of the chain is revoked");
            }
        }
        if (missing.isPresent()) {
            throw new VerificationUnavailableException("revocation cannot be checked: " + missing.get());
        }
    }

    private Optional<X509CRL> newest(Content current, X509Certificate issuer) {
        boolean[] usage = issuer.getKeyUsage();
        if (usage != null && !usage[CRL_SIGN]) {
            return Optional.empty();
        }
        Instant now = clock.instant();
        return current.lists().stream()
                .filter(list -> list.crl().getIssuerX500Principal().equals(issuer.getSubjectX500Principal()))
                .filter(list -> isValid(list.crl(), now))
                .filter(list -> list.isSignedBy(issuer))
                .map(Listed::crl)
                .max(Comparator.comparing(X509CRL::getThisUpdate));
    }

    /**
     * Tells whether a list is valid by a clock within the permitted difference: a list that was made just now counts at
     * once.
     */
    private static boolean isValid(X509CRL crl, Instant now) {
        return !crl.getThisUpdate().toInstant().isAfter(now.plus(Anchors.SKEW))
                // RFC 5280 requires the time of the next list; without it a list would never be too old.
                && crl.getNextUpdate() != null
                && now.minus(Anchors.SKEW).isBefore(crl.getNextUpdate().toInstant());
    }

    private Content current() {
        if (isDue()) {
            // The others wait: after a quiet night, the present content is as old as the night was long.
            synchronized (this) {
                if (isDue()) {
                    if (content.fault().isPresent() || !stamps().equals(Optional.of(content.stamps()))) {
                        content = read();
                    }
                    lookedAt = clock.instant();
                }
            }
        }
        return content;
    }

    private boolean isDue() {
        Duration age = Duration.between(lookedAt, clock.instant());
        return age.isNegative() || age.compareTo(INTERVAL) >= 0;
    }

    private Optional<List<Stamp>> stamps() {
        try {
            List<Stamp> stamps = new ArrayList<>();
            for (Path file : files) {
                stamps.add(Stamp.of(file));
            }
            return Optional.of(stamps);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Content read() {
        List<Listed> lists = new ArrayList<>();
        List<Stamp> stamps = new ArrayList<>();
        Optional<String> fault = Optional.empty();
        for (Path file : files) {
            try {
                // Before reading: a file that changes while it is read is then read again.
                stamps.add(Stamp.of(file));
                for (X509CRL crl : read(file)) {
                    lists.add(new Listed(crl, new ConcurrentHashMap<>()));
                }
            } catch (IOException | GeneralSecurityException | RuntimeException e) {
                fault = Optional.of("cannot read lists from " + file + " ("
                        + (e instanceof CRLException ? e.getMessage() : WrittenText.reason(e)) + ")");
                LOG.warn("Revocation {}", fault.get());
            }
        }
        if (!files.isEmpty() && fault.isEmpty()) {
            LOG.info("{} revocation lists from {} files", lists.size(), files.size());
        }
        return new Content(List.copyOf(lists), List.copyOf(stamps), fault);
    }

    private static List<X509CRL> read(Path file) throws IOException, GeneralSecurityException {
        if (Files.size(file) > MAX_FILE) {
            throw new CRLException("over " + MAX_FILE + " bytes");
        }
        List<X509CRL> lists = new ArrayList<>();
        for (CRL list : CertificateFactory.getInstance("X.509")
                .generateCRLs(new ByteArrayInputStream(WrittenText.withoutMark(Files.readAllBytes(file))))) {
            X509CRL crl = (X509CRL) list;
            // Delta lists, partial lists, indirect lists: a certificate that is not in them may still be revoked.
            if (crl.getCriticalExtensionOIDs() != null
                    && !crl.getCriticalExtensionOIDs().isEmpty()) {
                throw new CRLException("a list has critical extensions");
            }
            if (!Keys.isStrongSignature(crl.getSigAlgOID(), crl.getSigAlgParams())) {
                throw new CRLException("a list is signed with a weak or unknown algorithm");
            }
            lists.add(crl);
        }
        if (lists.isEmpty()) {
            throw new CRLException("no list in it");
        }
        return lists;
    }
}
