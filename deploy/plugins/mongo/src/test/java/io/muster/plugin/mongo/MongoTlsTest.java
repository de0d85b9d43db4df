// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a server with a self-signed certificate for {@code localhost}. */
class MongoTlsTest {

    private static final char[] PASSWORD = "password".toCharArray();

    @TempDir
    static Path directory;

    private static MongoServer server;
    private static Path authority;

    @BeforeAll
    static void start() throws Exception {
        KeyStore keys = keys("localhost");
        authority = pem(keys, "ca.pem");
        server = MongoServer.startWithTls(
                (PrivateKey) keys.getKey("server", PASSWORD), (X509Certificate) keys.getCertificate("server"));
    }

    /** A key and a certificate for this name. */
    private static KeyStore keys(String name) throws Exception {
        Path file = directory.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=dns:" + name,
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
        return KeyStore.getInstance(file.toFile(), PASSWORD);
    }

    private static Path pem(KeyStore keys, String name) throws Exception {
        return Files.writeString(
                directory.resolve(name),
                "-----BEGIN CERTIFICATE-----\n"
                        + Base64.getMimeEncoder()
                                .encodeToString(keys.getCertificate("server").getEncoded())
                        + "\n-----END CERTIFICATE-----\n");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Verdict ask(String... settings) {
        Map<String, String> all =
                new TreeMap<>(Map.of("database", "factory", "collection", "serials", "timeout", "PT2S"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        try (MongoVerifier verifier = new MongoVerifier()) {
            verifier.configure(all);
            return verifier.verify(Candidates.withSerial("SN-0001"));
        }
    }

    private static String uri(String host, String options) {
        return "mongodb://" + host + ":" + server.port() + "/" + options;
    }

    @Test
    void certificateOfAPrivateAuthorityIsAccepted() {
        assertThat(ask("uri", uri("localhost", "?tls=true"), "ca-file", authority.toString()))
                .isEqualTo(Verdict.unknown());
    }

    @Test
    void certificateOfAStrangerIsUnavailable() {
        assertThatThrownBy(() -> ask("uri", uri("localhost", "?tls=true")))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("unable to find valid certification path");
    }

    @Test
    void certificateForAnotherNameIsUnavailable() throws Exception {
        KeyStore keys = keys("elsewhere.example");
        try (MongoServer elsewhere = MongoServer.startWithTls(
                (PrivateKey) keys.getKey("server", PASSWORD), (X509Certificate) keys.getCertificate("server"))) {
            assertThatThrownBy(() -> ask(
                            "uri",
                            "mongodb://localhost:" + elsewhere.port() + "/?tls=true",
                            "ca-file",
                            pem(keys, "elsewhere.pem").toString()))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("No subject alternative DNS name matching localhost");
        }
    }

    @Test
    void plainQuestionToATlsServerIsUnavailable() {
        assertThatThrownBy(() -> ask("uri", uri("localhost", ""))).isInstanceOf(VerificationUnavailableException.class);
    }
}
