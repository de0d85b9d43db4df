package io.muster.verification;

import io.muster.config.Settings;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How connections are encrypted: TLS 1.2 at least, and the host's name is always checked. The settings may say whom to trust and
 * what to show; their files are read once. Without them it is what the Java process trusts.
 */
final class HttpTls {

    private static final Logger LOG = LoggerFactory.getLogger(HttpTls.class);
    private static final String CA = "ca-file";
    private static final String CERTIFICATE = "client-certificate-file";
    private static final String KEY = "client-key-file";

    /** How the key of each algorithm shows that it belongs to a certificate. */
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

    /** Of key stores that never leave the memory. */
    private static final char[] PASSWORD = new char[0];

    private final String who;
    private final Settings settings;
    private final Optional<SSLContext> context;

    /**
     * Reads the settings and their files, and notes what is faulty.
     *
     * @param who what lines of the log begin with
     */
    HttpTls(String who, Settings settings, HttpTarget target) {
        this.who = who;
        this.settings = settings;
        Optional<Path> authorities = settings.path(CA);
        Optional<Path> chain = settings.path(CERTIFICATE);
        Optional<Path> key = settings.path(KEY);
        if (!target.encrypted()) {
            authorities.ifPresent(file -> settings.fault(CA, "means nothing without https"));
            chain.ifPresent(file -> settings.fault(CERTIFICATE, "means nothing without https"));
        }
        if (chain.isPresent() && key.isEmpty()) {
            settings.fault(KEY, "is required beside " + CERTIFICATE);
        }
        if (key.isPresent() && chain.isEmpty()) {
            settings.fault(CERTIFICATE, "is required beside " + KEY);
        }
        Optional<KeyStore> trusted = authorities.flatMap(this::trusted);
        Optional<KeyStore> shown = chain.flatMap(certificates -> key.flatMap(own -> shown(certificates, own)));
        context = trusted.isPresent() || shown.isPresent() ? Optional.of(context(trusted, shown)) : Optional.empty();
    }

    /** Makes a client's connections so. */
    HttpClient.Builder secure(HttpClient.Builder client) {
        context.ifPresent(client::sslContext);
        return client.sslParameters(parameters());
    }

    /** Returns what holds for every connection, whatever the Java process was started with. */
    static SSLParameters parameters() {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return parameters;
    }

    private Optional<KeyStore> trusted(Path file) {
        List<X509Certificate> authorities = certificates(CA, file);
        if (authorities.isEmpty()) {
            return Optional.empty();
        }
        // May become empty, and then trusts nobody.
        KeyStore store = empty();
        for (X509Certificate authority : authorities) {
            // Left out, because Java trusts an authority for ever.
            if (isValid(CA, authority)) {
                try {
                    store.setCertificateEntry(Integer.toString(store.size()), authority);
                } catch (GeneralSecurityException e) {
                    throw unforeseen(e);
                }
            }
        }
        return Optional.of(store);
    }

    private Optional<KeyStore> shown(Path chainFile, Path keyFile) {
        List<X509Certificate> chain = certificates(CERTIFICATE, chainFile);
        Optional<HttpPem> block = keyBlock(keyFile);
        if (chain.isEmpty() || block.isEmpty()) {
            return Optional.empty();
        }
        X509Certificate own = chain.get(0);
        if (!SIGNATURES.containsKey(own.getPublicKey().getAlgorithm())) {
            settings.fault(CERTIFICATE, "the first certificate in " + chainFile + " is for no RSA, EC or EdDSA key");
            return Optional.empty();
        }
        Optional<PrivateKey> key = block.get().bytes().flatMap(encoded -> key(encoded, own.getPublicKey()));
        if (key.isEmpty()) {
            settings.fault(
                    KEY,
                    "what is in " + keyFile + " is damaged, or not the key of the first certificate in " + chainFile);
            return Optional.empty();
        }
        isValid(CERTIFICATE, own);
        KeyStore store = empty();
        try {
            store.setKeyEntry("client", key.get(), PASSWORD, chain.toArray(Certificate[]::new));
            return Optional.of(store);
        } catch (GeneralSecurityException e) {
            settings.fault(
                    CERTIFICATE, "in " + chainFile + ", not every certificate is followed by that of its issuer");
            return Optional.empty();
        }
    }

    private List<X509Certificate> certificates(String setting, Path file) {
        Optional<List<HttpPem>> blocks = blocks(setting, file);
        List<X509Certificate> certificates = new ArrayList<>();
        for (HttpPem block : blocks.orElse(List.of())) {
            if (block.label().equals("CERTIFICATE")) {
                Optional<X509Certificate> certificate = block.bytes().flatMap(HttpTls::certificate);
                if (certificate.isEmpty()) {
                    settings.fault(setting, "a certificate in " + file + " is damaged");
                    return List.of();
                }
                certificates.add(certificate.get());
            }
        }
        if (blocks.isPresent() && certificates.isEmpty()) {
            settings.fault(setting, "there is no certificate in " + file + ", as PEM");
        }
        return certificates;
    }

    /** Returns the one private key of a file, not encrypted and as PKCS #8. */
    private Optional<HttpPem> keyBlock(Path file) {
        Optional<List<HttpPem>> blocks = blocks(KEY, file);
        if (blocks.isEmpty()) {
            return Optional.empty();
        }
        List<HttpPem> keys = blocks.get().stream()
                .filter(block -> block.label().endsWith("PRIVATE KEY"))
                .toList();
        if (keys.size() != 1) {
            settings.fault(
                    KEY,
                    "there is " + (keys.isEmpty() ? "no" : "more than one") + " private key in " + file + ", as PEM");
            return Optional.empty();
        }
        HttpPem key = keys.get(0);
        if (key.isEncrypted()) {
            settings.fault(
                    KEY, "the key in " + file + " is encrypted; openssl pkcs8 -topk8 -nocrypt makes one that is not");
            return Optional.empty();
        }
        if (!key.label().equals("PRIVATE KEY")) {
            settings.fault(
                    KEY,
                    "the key in " + file + " is a " + key.label()
                            + "; openssl pkcs8 -topk8 -nocrypt makes PKCS #8 of it");
            return Optional.empty();
        }
        return Optional.of(key);
    }

    private Optional<List<HttpPem>> blocks(String setting, Path file) {
        try {
            return Optional.of(HttpPem.read(file));
        } catch (IOException e) {
            settings.fault(setting, "cannot read " + file + " (" + e.getClass().getSimpleName() + ")");
            return Optional.empty();
        }
    }

    private static Optional<X509Certificate> certificate(byte[] der) {
        try {
            return Optional.of((X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der)));
        } catch (CertificateException e) {
            return Optional.empty();
        }
    }

    /** Returns the key if what it signs is what the certificate's key verifies. */
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
            // Its message may have something of the key.
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

    private static KeyStore empty() {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw unforeseen(e);
        }
    }

    private static SSLContext context(Optional<KeyStore> trusted, Optional<KeyStore> shown) {
        try {
            TrustManager[] trust = null; // that of the Java process
            if (trusted.isPresent()) {
                TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
                factory.init(trusted.get());
                trust = factory.getTrustManagers();
            }
            KeyManager[] keys = new KeyManager[0];
            if (shown.isPresent()) {
                KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
                factory.init(shown.get(), PASSWORD);
                keys = factory.getKeyManagers();
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, trust, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw unforeseen(e);
        }
    }

    private static IllegalStateException unforeseen(Exception e) {
        return new IllegalStateException("every Java platform has TLS and key stores in memory", e);
    }
}
