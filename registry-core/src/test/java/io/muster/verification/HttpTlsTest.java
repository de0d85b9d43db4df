package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against a server whose certificate is for {@code localhost} and signed by nobody but itself. */
class HttpTlsTest {

    private static final char[] PASSWORD = "password".toCharArray();

    private final AtomicInteger asked = new AtomicInteger();
    private KeyStore keys;
    private HttpsServer server;

    @TempDir
    Path dir;

    @BeforeEach
    void start() throws Exception {
        keys = selfSigned();
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.createContext("/", exchange -> {
            try (exchange) {
                asked.incrementAndGet();
                HttpKind kind = exchange.getRequestMethod().equals("GET") ? HttpKind.API : HttpKind.CONTRACT;
                byte[] reply = kind.genuine().getBytes(StandardCharsets.UTF_8);
                exchange.getRequestBody().readAllBytes();
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(200, reply.length);
                exchange.getResponseBody().write(reply);
            }
        });
        server.start();
    }

    private KeyStore selfSigned() throws Exception {
        Path file = dir.resolve("keys.p12");
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
                .redirectOutput(dir.resolve("keytool.log").toFile())
                .start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0)
                .as("keytool made a certificate")
                .isTrue();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @ParameterizedTest
    @EnumSource
    void certificateThatNobodySignedIsUnavailable(HttpKind kind) {
        try (HttpVerifier verifier = verifier(kind, "localhost")) {
            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> verifier.verify(Candidates.withSerial(HttpKind.SERIAL)))
                    .withMessageContaining("SSLHandshakeException")
                    .withNoCause();
            assertThat(asked).hasValue(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void trustedCertificateIsGoodForItsOwnNameOnly(HttpKind kind) throws Exception {
        SSLContext before = SSLContext.getDefault();
        SSLContext.setDefault(trusting());
        try (HttpVerifier named = verifier(kind, "localhost");
                HttpVerifier numbered = verifier(kind, "127.0.0.1")) {
            assertThat(named.verify(Candidates.withSerial(HttpKind.SERIAL))).isEqualTo(Verdict.genuine());
            assertThat(asked).hasValue(1);

            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> numbered.verify(Candidates.withSerial(HttpKind.SERIAL)))
                    .withMessageContaining("SSLHandshakeException");
            assertThat(asked).hasValue(1);
        } finally {
            SSLContext.setDefault(before);
        }
    }

    @Test
    void clearTextServerBehindAnHttpsAddressIsUnavailable() throws Exception {
        try (HttpWire wire = new HttpWire(HttpWire.says(200, "application/json", HttpKind.API.genuine()));
                HttpVerifier verifier = HttpKind.API.verifier(
                        wire, "url", "https://127.0.0.1:" + wire.port() + "/{serial}", "timeout", "PT1S")) {
            assertThatExceptionOfType(VerificationUnavailableException.class)
                    .isThrownBy(() -> verifier.verify(Candidates.withSerial(HttpKind.SERIAL)));
        }
    }

    private SSLContext trusting() throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry("server", keys.getCertificate("server"));
        trust.init(certificates);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private HttpVerifier verifier(HttpKind kind, String host) {
        // A handshake takes its time on a busy machine.
        return HttpKind.verifier(HttpKind.with(
                kind.settings("https://" + host + ":" + server.getAddress().getPort()),
                "timeout",
                "PT20S",
                "connect-timeout",
                "PT10S"));
    }
}
