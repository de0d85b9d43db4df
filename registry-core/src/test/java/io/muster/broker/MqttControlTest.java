package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.MusterConfig.Management;
import io.muster.verification.HttpPki;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who gets to see the registry's password at a broker: a server on TLS, whose certificate is that of {@code localhost}. */
class MqttControlTest {

    private static final int NOTHING = -1;
    private static final int CONNECT = 0x10;

    @TempDir
    private static Path dir;

    private final CompletableFuture<Integer> received = new CompletableFuture<>();
    private HttpPki pki;
    private SSLServerSocket server;

    @BeforeEach
    void start() throws Exception {
        pki = new HttpPki(dir.resolve("pki" + System.nanoTime())).selfSignedServer("broker");
        server = (SSLServerSocket) pki.serving("broker", "broker")
                .getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread accepting = new Thread(this::accept, "broker");
        accepting.setDaemon(true);
        accepting.start();
    }

    @AfterEach
    void stop() throws IOException {
        System.clearProperty("javax.net.ssl.trustStore");
        System.clearProperty("javax.net.ssl.trustStorePassword");
        server.close();
    }

    private void accept() {
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

    /** Returns the first byte that the server got. */
    private int told(String host) throws Exception {
        try (MqttControl control = new MqttControl(
                new Management(URI.create("mqtts://" + host + ":" + server.getLocalPort()), "muster", "a password"),
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
}
