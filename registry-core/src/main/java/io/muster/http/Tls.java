// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import io.muster.config.Settings;
import io.muster.tls.TlsContext;
import io.muster.tls.TlsFiles;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * The TLS settings of connections: at least TLS 1.2, and the host's name is always checked. The settings may name the
 * authorities to trust, and the key and certificates to present; their files are read once. By default the Java
 * process's authorities are trusted.
 */
final class Tls {

    private static final String CA = "ca-file";
    private static final String CERTIFICATE = "client-certificate-file";
    private static final String KEY = "client-key-file";

    private final Optional<SSLContext> context;

    /**
     * Reads the settings and their files, and reports faults.
     *
     * @param who the beginning of lines in the log
     * @param encrypted whether the address is https
     */
    Tls(String who, Settings settings, boolean encrypted) {
        Optional<Path> authorities = settings.path(CA);
        Optional<Path> chain = settings.path(CERTIFICATE);
        Optional<Path> key = settings.path(KEY);
        if (!encrypted) {
            authorities.ifPresent(file -> settings.fault(CA, "means nothing without https"));
            chain.ifPresent(file -> settings.fault(CERTIFICATE, "means nothing without https"));
        }
        if (chain.isPresent() && key.isEmpty()) {
            settings.fault(KEY, "is required beside " + CERTIFICATE);
        }
        if (key.isPresent() && chain.isEmpty()) {
            settings.fault(CERTIFICATE, "is required beside " + KEY);
        }
        TlsFiles files = new TlsFiles(who, settings::fault);
        Optional<List<X509Certificate>> trusted = authorities.flatMap(file -> files.authorities(CA, file));
        Optional<KeyStore> shown =
                chain.flatMap(certificates -> key.flatMap(own -> files.shown(CERTIFICATE, certificates, KEY, own)));
        context = trusted.isPresent() || shown.isPresent()
                ? Optional.of(TlsContext.of(trusted, shown))
                : Optional.empty();
    }

    /** Applies these settings to a client. */
    HttpClient.Builder secure(HttpClient.Builder client) {
        context.ifPresent(client::sslContext);
        return client.sslParameters(TlsContext.https());
    }
}
