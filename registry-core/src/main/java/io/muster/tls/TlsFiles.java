// SPDX-License-Identifier: Apache-2.0
package io.muster.tls;

import io.muster.spi.WrittenText;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the PEM files that settings name: the authorities to trust, and the key and certificates to present. Each file
 * is read once. A faulty file is a fault of its setting, which shows nothing of a key.
 */
public final class TlsFiles {

    private static final Logger LOG = LoggerFactory.getLogger(TlsFiles.class);

    /** The algorithm with which the key of each kind proves that it belongs to a certificate. */
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

    /** Receives faults. */
    @FunctionalInterface
    public interface Faults {
        /** Reports a fault of a setting. */
        void add(String setting, String fault);
    }

    private final String who;
    private final Faults faults;

    /**
     * Reads files of settings.
     *
     * @param who the beginning of lines in the log, before the name of a setting
     * @param faults receives the faults
     */
    public TlsFiles(String who, Faults faults) {
        this.who = who;
        this.faults = faults;
    }

    /**
     * Returns the authorities of a file that are valid now, perhaps none. Java would trust expired ones for ever. Empty
     * if the file is faulty.
     */
    public Optional<List<X509Certificate>> authorities(String setting, Path file) {
        List<X509Certificate> authorities = certificates(setting, file);
        return authorities.isEmpty()
                ? Optional.empty()
                : Optional.of(authorities.stream()
                        .filter(authority -> isValid(setting, authority))
                        .toList());
    }

    /**
     * Returns a key with its chain of certificates, to present to the other end; empty if one of the files is faulty.
     */
    public Optional<KeyStore> shown(String chainSetting, Path chainFile, String keySetting, Path keyFile) {
        List<X509Certificate> chain = certificates(chainSetting, chainFile);
        Optional<Pem> block = keyBlock(keySetting, keyFile);
        if (chain.isEmpty() || block.isEmpty()) {
            return Optional.empty();
        }
        X509Certificate own = chain.get(0);
        if (!SIGNATURES.containsKey(own.getPublicKey().getAlgorithm())) {
            faults.add(chainSetting, "the first certificate in " + chainFile + " is for no RSA, EC or EdDSA key");
            return Optional.empty();
        }
        Optional<PrivateKey> key = block.get().bytes().flatMap(encoded -> key(encoded, own.getPublicKey()));
        if (key.isEmpty()) {
            faults.add(
                    keySetting,
                    "what is in " + keyFile + " is damaged, or not the key of the first certificate in " + chainFile);
            return Optional.empty();
        }
        isValid(chainSetting, own);
        KeyStore store = TlsContext.emptyStore();
        try {
            store.setKeyEntry("client", key.get(), TlsContext.PASSWORD, chain.toArray(Certificate[]::new));
            return Optional.of(store);
        } catch (GeneralSecurityException e) {
            faults.add(chainSetting, "in " + chainFile + ", not every certificate is followed by that of its issuer");
            return Optional.empty();
        }
    }

    private List<X509Certificate> certificates(String setting, Path file) {
        Optional<List<Pem>> blocks = blocks(setting, file);
        List<X509Certificate> certificates = new ArrayList<>();
        for (Pem block : blocks.orElse(List.of())) {
            if (block.label().equals("CERTIFICATE")) {
                Optional<X509Certificate> certificate = block.bytes().flatMap(TlsFiles::certificate);
                if (certificate.isEmpty()) {
                    faults.add(setting, "a certificate in " + file + " is damaged");
                    return List.of();
                }
                certificates.add(certificate.get());
            }
        }
        if (blocks.isPresent() && certificates.isEmpty()) {
            faults.add(setting, "there is no certificate in " + file + ", as PEM");
        }
        return certificates;
    }

    private static Optional<X509Certificate> certificate(byte[] der) {
        try {
            return Optional.of(Certificates.read(der));
        } catch (CertificateException e) {
            return Optional.empty();
        }
    }

    /** Returns the one private key of a file, not encrypted and as PKCS #8. */
    private Optional<Pem> keyBlock(String keySetting, Path file) {
        Optional<List<Pem>> blocks = blocks(keySetting, file);
        if (blocks.isEmpty()) {
            return Optional.empty();
        }
        List<Pem> keys = blocks.get().stream()
                .filter(block -> block.label().endsWith("PRIVATE KEY"))
                .toList();
        if (keys.size() != 1) {
            faults.add(
                    keySetting,
                    "there is " + (keys.isEmpty() ? "no" : "more than one") + " private key in " + file + ", as PEM");
            return Optional.empty();
        }
        Pem key = keys.get(0);
        if (key.isEncrypted()) {
            faults.add(
                    keySetting,
                    "the key in " + file + " is encrypted; openssl pkcs8 -topk8 -nocrypt makes one that is not");
            return Optional.empty();
        }
        if (!key.label().equals("PRIVATE KEY")) {
            faults.add(
                    keySetting,
                    "the key in " + file + " is a " + key.label()
                            + "; openssl pkcs8 -topk8 -nocrypt makes PKCS #8 of it");
            return Optional.empty();
        }
        return Optional.of(key);
    }

    private Optional<List<Pem>> blocks(String setting, Path file) {
        try {
            return Optional.of(Pem.read(file));
        } catch (IOException e) {
            faults.add(setting, "cannot read " + file + " (" + WrittenText.reason(e) + ")");
            return Optional.empty();
        }
    }

    /** Returns the key if the certificate's key verifies its signatures. */
    private static Optional<PrivateKey> key(byte[] pkcs8, PublicKey certified) {
        try {
            PrivateKey key =
                    KeyFactory.getInstance(certified.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            Signature signature = Signature.getInstance(SIGNATURES.get(certified.getAlgorithm()));
            byte[] anything = {1, 2, 3};
            signature.initSign(key);
            signature.update(anything);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(anything);
            return signature.verify(signed) ? Optional.of(key) : Optional.empty();
        } catch (GeneralSecurityException e) {
            // Drop the exception: its message may contain something of the key.
            return Optional.empty();
        }
    }

    /** Tells whether it is valid now, as handshakes see it: by the clock of the system. */
    private boolean isValid(String setting, X509Certificate certificate) {
        try {
            certificate.checkValidity();
            return true;
        } catch (CertificateException e) {
            LOG.warn(
                    "{}{}: the certificate of {} is valid from {} to {}, not now",
                    who,
                    setting,
                    certificate.getSubjectX500Principal(),
                    certificate.getNotBefore().toInstant(),
                    certificate.getNotAfter().toInstant());
            return false;
        }
    }
}
