// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.MusterConfig.Management;
import io.muster.verification.http.HttpPki;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The servers that get the registry's password at a broker. The server here uses TLS with a certificate of
 * {@code localhost}.
 */
class MqttControlTest {

    private static final int NOTHING = -1;
    private static final int CONNECT = 0x10;

    @TempDir
    private static Path dir;

    private CompletableFuture<Integer> received;
    private HttpPki pki;
    private SSLServerSocket server;

    @BeforeEach
    void start() throws Exception {
        pki = new HttpPki(dir.resolve("pki" + System.nanoTime())).selfSignedServer("broker");
        serve("broker");
    }

    private void serve(String certificate) throws Exception {
        if (server != null) {
            server.close();
        }
        SSLServerSocket listening = (SSLServerSocket) pki.serving(certificate, certificate)
                .getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        server = listening;
        received = new CompletableFuture<>();
        CompletableFuture<Integer> first = received;
        Thread accepting = new Thread(() -> accept(listening, first), "broker");
        accepting.setDaemon(true);
        accepting.start();
    }

    @AfterEach
    void stop() throws IOException {
        System.clearProperty("javax.net.ssl.trustStore");
        System.clearProperty("javax.net.ssl.trustStorePassword");
        server.close();
    }

    private static void accept(SSLServerSocket server, CompletableFuture<Integer> received) {
        try (SSLSocket socket = (SSLSocket) server.accept()) {
            received.complete(socket.getInputStream().read());
        } catch (IOException e) {
            received.complete(NOTHING);
        }
    }

    private void trust() {
        System.setProperty("javax.net.ssl.trustStore", pki.keyStore().toString());
        System.setProperty("javax.net.ssl.trustStorePassword", HttpPki.PASSWORD);
    }

    private int told(String host) throws Exception {
        return told(host, Optional.empty());
    }

    /** Returns the first byte that the server got. */
    private int told(String host, Optional<List<X509Certificate>> authorities) throws Exception {
        try (MqttControl control = new MqttControl(
                new Management(
                        URI.create("mqtts://" + host + ":" + server.getLocalPort()),
                        "muster",
                        "a password",
                        authorities),
                () -> {},
                (device, key) -> {})) {
            assertThatThrownBy(() -> control.send(List.of(Map.of("command", "listClients"))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("it cannot be reached")
                    .hasMessageNotContaining("a password");
        }
        return received.get(20, TimeUnit.SECONDS);
    }

    @Test
    void brokerOfTheNameIsSpokenTo() throws Exception {
        trust();

        assertThat(told("localhost")).isEqualTo(CONNECT);
    }

    @Test
    void brokerOfAnotherNameIsToldNothing() throws Exception {
        trust();

        assertThat(told("127.0.0.1")).isEqualTo(NOTHING);
    }

    @Test
    void brokerThatNobodyTrustsIsToldNothing() throws Exception {
        assertThat(told("localhost")).isEqualTo(NOTHING);
    }

    private Optional<List<X509Certificate>> only(String name) throws Exception {
        return Optional.of(List.of((X509Certificate) pki.certificate(name)));
    }

    @Test
    void brokerOfATrustedAuthorityIsSpokenTo() throws Exception {
        pki.authority("authority").server("below", "authority");
        serve("below");

        assertThat(told("localhost", only("authority"))).isEqualTo(CONNECT);
    }

    @Test
    void brokerWhoseOwnCertificateIsTrustedIsSpokenTo() throws Exception {
        assertThat(told("localhost", only("broker"))).isEqualTo(CONNECT);
    }

    @Test
    void brokerOfATrustedAuthorityButAnotherNameIsToldNothing() throws Exception {
        assertThat(told("127.0.0.1", only("broker"))).isEqualTo(NOTHING);
    }

    @Test
    void brokerThatOnlyJavaTrustsIsToldNothing() throws Exception {
        pki.authority("authority");
        trust();

        assertThat(told("localhost", only("authority"))).isEqualTo(NOTHING);
    }

    @Test
    void whereNoAuthorityIsValidNobodyIsTrusted() throws Exception {
        trust();

        assertThat(told("localhost", Optional.of(List.of()))).isEqualTo(NOTHING);
    }
}
