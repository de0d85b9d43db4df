// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Redis behind TLS with a self-signed certificate for {@code localhost}. */
class RedisTlsTest {

    private static final char[] PASSWORD = "password".toCharArray();

    @TempDir
    static Path directory;

    private static RedisServer redis;
    private static SSLServerSocket front;
    private static Path authority;

    @BeforeAll
    static void start() throws Exception {
        redis = RedisServer.start();
        redis.command("SET", "serial:SN-0001", "sold");
        Path file = directory.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
        KeyStore keys = KeyStore.getInstance(file.toFile(), PASSWORD);
        authority = Files.writeString(
                directory.resolve("ca.pem"),
                "-----BEGIN CERTIFICATE-----\n"
                        + Base64.getMimeEncoder()
                                .encodeToString(keys.getCertificate("server").getEncoded())
                        + "\n-----END CERTIFICATE-----\n");
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        front = (SSLServerSocket)
                context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(RedisTlsTest::accept);
    }

    @AfterAll
    static void stop() throws IOException {
        front.close();
        redis.close();
    }

    private static void accept() throws IOException {
        while (!front.isClosed()) {
            Socket client = front.accept();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), redis.port());
            daemon(() -> copy(client, server));
            daemon(() -> copy(server, client));
        }
    }

    private static void copy(Socket from, Socket to) throws IOException {
        try (from;
                to;
                InputStream in = from.getInputStream()) {
            in.transferTo(to.getOutputStream());
        }
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (IOException e) {
                // the other end has gone
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static Verdict ask(String... settings) {
        Map<String, String> all = new TreeMap<>(Map.of("key", "serial:{serial}", "password", redis.password()));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        try (RedisVerifier verifier = new RedisVerifier()) {
            verifier.configure(all);
            return verifier.verify(Candidates.withSerial("SN-0001"));
        }
    }

    private static String uri(String host) {
        return "rediss://" + host + ":" + front.getLocalPort();
    }

    @Test
    void certificateOfAPrivateAuthorityIsAccepted() {
        assertThat(ask("uri", uri("localhost"), "ca-file", authority.toString()))
                .isEqualTo(Verdict.genuine());
    }

    @Test
    void certificateOfAStrangerIsUnavailable() {
        assertThatThrownBy(() -> ask("uri", uri("localhost")))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("unable to find valid certification path");
    }

    @Test
    void certificateForAnotherNameIsUnavailable() {
        assertThatThrownBy(() -> ask("uri", uri("127.0.0.1"), "ca-file", authority.toString()))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("127.0.0.1");
    }

    @Test
    void serverWithoutTlsIsUnavailable() {
        assertThatThrownBy(() -> ask(
                        "uri",
                        "rediss://localhost:" + redis.port(),
                        "ca-file",
                        authority.toString(),
                        "timeout",
                        "PT1S"))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void plainQuestionToATlsServerIsUnavailable() {
        assertThatThrownBy(() -> ask("uri", "redis://localhost:" + front.getLocalPort(), "timeout", "PT1S"))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Tag("timing")
    @Test
    void handshakeThatTricklesIsUnavailableInTime() throws IOException {
        try (ScriptedServer trickle = new ScriptedServer(line -> {
            // the head of a handshake record of 16,000 bytes, which never ends
            line.out().write(new byte[] {22, 3, 3, 0x3e, (byte) 0x80});
            while (!line.pause(50)) {
                line.say("x");
            }
        })) {
            assertTimeoutPreemptively(TimeLimit.of(Duration.ofMillis(1400)), () -> assertThatThrownBy(
                            () -> ask("uri", "rediss://localhost:" + trickle.port(), "timeout", "PT0.4S"))
                    .isInstanceOf(VerificationUnavailableException.class));
        }
    }
}
