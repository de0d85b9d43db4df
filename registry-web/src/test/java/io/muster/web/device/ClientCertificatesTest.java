// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;

/** The certificate of a connection is the one that the server reports. */
class ClientCertificatesTest {

    private final X509Certificate[] chain = {some()};

    /** Any certificate of Java's own list. */
    private static X509Certificate some() {
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((KeyStore) null);
            return ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers()[0];
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A request that answers to nothing else, headers least of all. */
    private static HttpServletRequest request(boolean secure, Object attribute) {
        return (HttpServletRequest) Proxy.newProxyInstance(
                ClientCertificatesTest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "isSecure" -> secure;
                    case "getAttribute" ->
                        "jakarta.servlet.request.X509Certificate".equals(arguments[0]) ? attribute : null;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    void chainOfTheConnectionIsTheServersAttribute() {
        assertThat(RegistrationResource.clientCertificates(request(true, chain)))
                .containsExactly(chain);
    }

    @Test
    void connectionWithoutTlsOrCertificateHasNone() {
        assertThat(RegistrationResource.clientCertificates(request(false, chain)))
                .isEmpty();
        assertThat(RegistrationResource.clientCertificates(request(true, null))).isEmpty();
        assertThat(RegistrationResource.clientCertificates(request(true, new X509Certificate[0])))
                .isEmpty();
        assertThat(RegistrationResource.clientCertificates(request(true, "CN=SN-0001")))
                .isEmpty();
    }
}
