// SPDX-License-Identifier: Apache-2.0
package io.muster.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Makes the TLS settings of connections. */
public final class TlsContext {

    /** The password of key stores that never leave the memory. */
    static final char[] PASSWORD = new char[0];

    private TlsContext() {}

    /**
     * Returns the TLS context for connections.
     *
     * @param authorities the only authorities to trust, perhaps none; empty for those that the Java process trusts
     * @param shown the key and certificates to present, as {@link TlsFiles#shown} reads them; empty for none
     */
    public static SSLContext of(Optional<List<X509Certificate>> authorities, Optional<KeyStore> shown) {
        try {
            TrustManager[] trust = null; // that of the Java process
            if (authorities.isPresent()) {
                TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
                factory.init(trusting(authorities.get()));
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

    /** Returns the parameters of every HTTPS connection, whatever options the Java process was started with. */
    public static SSLParameters https() {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return parameters;
    }

    private static KeyStore trusting(List<X509Certificate> authorities) throws GeneralSecurityException {
        KeyStore store = emptyStore();
        for (X509Certificate authority : authorities) {
            store.setCertificateEntry(Integer.toString(store.size()), authority);
        }
        return store;
    }

    static KeyStore emptyStore() {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw unforeseen(e);
        }
    }

    private static IllegalStateException unforeseen(Exception e) {
        return new IllegalStateException("every Java platform has TLS and key stores in memory", e);
    }
}
