// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.muster.config.ConfigurationException;
import io.muster.config.Settings;
import io.muster.spi.Candidates;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.tls.TlsContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Real handshakes, with certificates of every kind. Servers are called {@code localhost} in theirs. */
class TlsTest {

    private static final String CA = "ca-file";
    private static final String CERTIFICATE = "client-certificate-file";
    private static final String KEY = "client-key-file";

    @TempDir
    private static Path dir;

    private static HttpPki pki;

    private final AtomicInteger asked = new AtomicInteger();
    private final List<String> clients = new CopyOnWriteArrayList<>();
    private HttpsServer server;

    @BeforeAll
    static void certificates() throws Exception {
        pki = new HttpPki(dir)
                .authority("ca")
                .authorityBelow("ca", "branch")
                .authority("other-ca")
                .authority("expired-ca", "-startdate", "-9d", "-validity", "3")
                .selfSignedServer("self-signed")
                .server("server", "ca")
                .server("server-of-expired-ca", "expired-ca")
                .client("ec", "EC", "ca")
                .client("rsa", "RSA", "ca")
                .client("ed25519", "Ed25519", "ca")
                .client("of-branch", "EC", "branch")
                .client("stranger", "EC", "other-ca")
                .client("dsa", "DSA", "ca");
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop(0);
        }
    }

    private void serve(String certificate, boolean clientsNeedOne) throws Exception {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.setHttpsConfigurator(new HttpsConfigurator(pki.serving(certificate, "ca")) {
            @Override
            public void configure(HttpsParameters connection) {
                SSLParameters parameters = getSSLContext().getDefaultSSLParameters();
                parameters.setNeedClientAuth(clientsNeedOne);
                connection.setSSLParameters(parameters);
            }
        });
        server.createContext("/", exchange -> {
            try (exchange) {
                asked.incrementAndGet();
                clients.add(client((HttpsExchange) exchange));
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

    private static String client(HttpsExchange exchange) {
        try {
            return exchange.getSSLSession().getPeerPrincipal().getName();
        } catch (SSLPeerUnverifiedException e) {
            return "nobody";
        }
    }

    @ParameterizedTest
    @EnumSource
    void certificateThatNobodySignedIsUnavailable(HttpKind kind) throws Exception {
        serve("self-signed", false);
        assertThat(unavailable(kind, "localhost")).contains("SSLHandshakeException");
    }

    @ParameterizedTest
    @EnumSource
    void whatTheJavaProcessTrustsIsGoodForItsOwnNameOnly(HttpKind kind) throws Exception {
        serve("self-signed", false);
        SSLContext before = SSLContext.getDefault();
        SSLContext trusting = SSLContext.getInstance("TLS");
        trusting.init(null, pki.trusting("self-signed").getTrustManagers(), null);
        SSLContext.setDefault(trusting);
        try {
            assertGenuine(kind, "localhost");
            assertThat(unavailable(kind, "127.0.0.1")).contains("SSLHandshakeException");

            // A configured authority replaces all that the process trusts.
            assertThat(unavailable(kind, "localhost", CA, pki.file(pki.certificates("ca"))))
                    .contains("SSLHandshakeException");
        } finally {
            SSLContext.setDefault(before);
        }
    }

    @ParameterizedTest
    @EnumSource
    void configuredAuthorityIsTrustedForTheNameInTheCertificateOnly(HttpKind kind) throws Exception {
        serve("server", false);
        String both = pki.file(pki.certificates("other-ca", "ca"));

        assertGenuine(kind, "localhost", CA, both);
        assertThat(unavailable(kind, "127.0.0.1", CA, both)).contains("SSLHandshakeException");
        assertThat(unavailable(kind, "localhost", CA, pki.file(pki.certificates("other-ca"))))
                .contains("SSLHandshakeException");
        assertThat(unavailable(kind, "localhost")).contains("SSLHandshakeException");
    }

    @Test
    void selfSignedCertificateOfTheServerMayStandForAnAuthority() throws Exception {
        serve("self-signed", false);
        String file = pki.file(pki.certificates("self-signed"));

        assertGenuine(HttpKind.API, "localhost", CA, file);
        assertThat(unavailable(HttpKind.API, "127.0.0.1", CA, file)).contains("SSLHandshakeException");
    }

    @Test
    void expiredAuthorityIsNotTrustedAndNoFault() throws Exception {
        serve("server-of-expired-ca", false);

        unavailable(HttpKind.API, "localhost", CA, pki.file(pki.certificates("expired-ca")));
        unavailable(HttpKind.API, "localhost", CA, pki.file(pki.certificates("expired-ca", "ca")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ec", "rsa", "ed25519"})
    void clientCertificateIsShownToAServerThatWantsOne(String client) throws Exception {
        serve("server", true);

        for (HttpKind kind : HttpKind.values()) {
            assertGenuine(
                    kind,
                    "localhost",
                    CA,
                    pki.file(pki.certificates("ca")),
                    CERTIFICATE,
                    pki.file(pki.certificates(client)),
                    KEY,
                    pki.file(pki.key(client)));
        }
        assertThat(clients).containsExactly("CN=" + client, "CN=" + client);
    }

    @Test
    void clientCertificateMayComeWithThoseOfItsIssuersAndInOneFileWithItsKey() throws Exception {
        serve("server", true);
        String file = pki.file(pki.key("of-branch") + pki.certificates("of-branch", "branch"));

        assertGenuine(HttpKind.API, "localhost", CA, pki.file(pki.certificates("ca")), CERTIFICATE, file, KEY, file);
        assertThat(clients).containsExactly("CN=of-branch");
    }

    @ParameterizedTest
    @EnumSource
    void clientThatShowsNothingOrTheWrongCertificateIsUnavailable(HttpKind kind) throws Exception {
        serve("server", true);
        String ca = pki.file(pki.certificates("ca"));

        unavailable(kind, "localhost", CA, ca);
        unavailable(
                kind,
                "localhost",
                CA,
                ca,
                CERTIFICATE,
                pki.file(pki.certificates("stranger")),
                KEY,
                pki.file(pki.key("stranger")));
        unavailable(
                kind,
                "localhost",
                CA,
                ca,
                CERTIFICATE,
                pki.file(pki.certificates("of-branch")),
                KEY,
                pki.file(pki.key("of-branch")));
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

    @Test
    void serverThatSaysWhyItEndsTheHandshakeIsQuoted() throws Exception {
        try (SSLServerSocket listening = listening()) {
            listening.setNeedClientAuth(true);
            Thread accepting = new Thread(() -> {
                while (!listening.isClosed()) {
                    try (SSLSocket socket = (SSLSocket) listening.accept()) {
                        socket.startHandshake();
                    } catch (IOException e) {
                        // as it should be
                    }
                }
            });
            accepting.start();
            assertThat(unavailable(
                            HttpKind.API,
                            "localhost:" + listening.getLocalPort(),
                            CA,
                            pki.file(pki.certificates("ca"))))
                    .contains("alert ");
        }
    }

    private static SSLServerSocket listening() throws Exception {
        return (SSLServerSocket) pki.serving("server", "ca")
                .getServerSocketFactory()
                .createServerSocket(0, 9, InetAddress.getLoopbackAddress());
    }

    @Test
    void noOlderTlsAndNoOtherProtocolIsOffered() throws Exception {
        CompletableFuture<List<String>> protocols = new CompletableFuture<>();
        try (SSLServerSocket listening = listening()) {
            Thread accepting = new Thread(() -> {
                // Closes both, so that no client waits for a second connection to be accepted.
                try (listening;
                        SSLSocket socket = (SSLSocket) listening.accept()) {
                    socket.setHandshakeApplicationProtocolSelector((it, offered) -> {
                        protocols.complete(offered);
                        return "";
                    });
                    socket.startHandshake();
                    protocols.complete(List.of());
                } catch (IOException e) {
                    protocols.completeExceptionally(e);
                }
            });
            accepting.start();
            unavailable(HttpKind.API, "localhost:" + listening.getLocalPort(), CA, pki.file(pki.certificates("ca")));
            accepting.join();
        }
        assertThat(protocols.get(10, TimeUnit.SECONDS)).doesNotContain("h2");
        assertThat(TlsContext.https().getProtocols()).containsExactly("TLSv1.3", "TLSv1.2");
        assertThat(TlsContext.https().getEndpointIdentificationAlgorithm()).isEqualTo("HTTPS");
    }

    @Test
    void clientCertificateAndKeyNeedEachOtherAndHttps() throws Exception {
        String ca = pki.file(pki.certificates("ca"));
        String certificate = pki.file(pki.certificates("ec"));
        String key = pki.file(pki.key("ec"));

        assertThat(faults(CERTIFICATE, certificate))
                .containsExactly("muster.verifier.acme.client-key-file: is required beside client-certificate-file");
        assertThat(faults(KEY, key))
                .containsExactly("muster.verifier.acme.client-certificate-file: is required beside client-key-file");
        assertThat(faults(CERTIFICATE, certificate, KEY, key, CA, ca)).isEmpty();
        assertThat(faults(
                        CERTIFICATE,
                        certificate,
                        KEY,
                        key,
                        CA,
                        ca,
                        "allow-http",
                        "true",
                        "url",
                        "http://api.example.com/{serial}"))
                .containsExactly(
                        "muster.verifier.acme.ca-file: means nothing without https",
                        "muster.verifier.acme.client-certificate-file: means nothing without https");
    }

    @Test
    void fileThatIsNotThereIsAFault() throws Exception {
        String missing = dir.resolve("missing").toString();

        assertThat(faults(CA, missing, CERTIFICATE, missing, KEY, dir.toString()))
                .containsExactly(
                        "muster.verifier.acme.ca-file: cannot read " + missing + " (NoSuchFileException)",
                        "muster.verifier.acme.client-certificate-file: cannot read " + missing
                                + " (NoSuchFileException)",
                        "muster.verifier.acme.client-key-file: cannot read " + dir + " (IOException)");
        assertThat(faults(CA, pki.file("x".repeat(1024 * 1024 + 1))))
                .singleElement()
                .asString()
                .contains("cannot read");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "|there is no certificate in",
                "no PEM at all|there is no certificate in",
                "-----BEGIN CERTIFICATE-----|a certificate in",
                "-----BEGIN CERTIFICATE----------END CERTIFICATE-----|a certificate in",
                "-----BEGIN CERTIFICATE-----MIIB????-----END CERTIFICATE-----|a certificate in",
                "-----BEGIN CERTIFICATE-----MIIBAAAA-----END CERTIFICATE-----|a certificate in",
                "-----BEGIN CERTIFICATE-----MAA=-----END CERTIFICATE-----|a certificate in"
            })
    void fileWithoutAUsableCertificateIsAFault(String text, String fault) throws Exception {
        String file = pki.file(String.valueOf(text));
        String key = pki.file(pki.key("ec"));

        List<String> faults = faults(CA, file, CERTIFICATE, file, KEY, key);

        assertThat(faults).hasSize(2);
        assertThat(faults.get(0)).startsWith("muster.verifier.acme.ca-file: " + fault);
        assertThat(faults.get(1)).startsWith("muster.verifier.acme.client-certificate-file: " + fault);
        assertThat(faults(CA, pki.file(pki.certificates("ca") + text))).hasSizeLessThanOrEqualTo(1);
    }

    @Test
    void damageOfAnyByteOfACertificateIsNeverAnException() throws Exception {
        byte[] whole = pki.certificate("ca").getEncoded();
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 0xff;
            faults(CA, pki.file(HttpPki.block("CERTIFICATE", damaged)));
            faults(CA, pki.file(HttpPki.block("CERTIFICATE", Arrays.copyOf(whole, i))));
        }
    }

    @Test
    void damageOfAnyByteOfAKeyIsAFaultThatRepeatsNothingOfIt() throws Exception {
        String certificate = pki.file(pki.certificates("ec"));
        byte[] whole = pki.encodedKey("ec");
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 0x55;
            List<String> faults =
                    faults(CERTIFICATE, certificate, KEY, pki.file(HttpPki.block("PRIVATE KEY", damaged)));

            assertThat(faults).allSatisfy(fault -> assertThat(fault)
                    .startsWith("muster.verifier.acme.client-key-file: what is in ")
                    .doesNotContain(Base64.getEncoder().encodeToString(damaged).substring(0, 20)));
        }
    }

    @Test
    void keyInAnotherFormIsAFaultThatSaysWhatToDo() throws Exception {
        assertThat(keyFault("", "ec")).contains("there is no private key in ");
        assertThat(keyFault(pki.key("ec") + pki.key("ec"), "ec")).contains("there is more than one private key in ");
        assertThat(keyFault(HttpPki.block("ENCRYPTED PRIVATE KEY", new byte[100]), "ec"))
                .contains("is encrypted; openssl pkcs8 -topk8 -nocrypt makes one that is not");
        assertThat(keyFault(
                        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n"
                                + "-----END RSA PRIVATE KEY-----\n",
                        "rsa"))
                .contains("is encrypted; ");
        for (String label : List.of("RSA", "EC")) {
            assertThat(keyFault(HttpPki.block(label + " PRIVATE KEY", new byte[100]), "ec"))
                    .contains("is a " + label + " PRIVATE KEY; openssl pkcs8 -topk8 -nocrypt makes PKCS #8 of it");
        }
    }

    @Test
    void keyOfAnotherCertificateIsAFault() throws Exception {
        for (String other : List.of("rsa", "of-branch", "ed25519")) {
            assertThat(keyFault(pki.key(other), "ec"))
                    .contains("is damaged, or not the key of the first certificate in ");
        }
    }

    @Test
    void certificateOfAKeyThatIsUnusualIsAFault() throws Exception {
        assertThat(faults(CERTIFICATE, pki.file(pki.certificates("dsa")), KEY, pki.file(pki.key("dsa"))))
                .singleElement()
                .asString()
                .contains("client-certificate-file: the first certificate in ")
                .endsWith(" is for no RSA, EC or EdDSA key");
    }

    @Test
    void certificatesInTheWrongOrderAreAFault() throws Exception {
        assertThat(faults(CERTIFICATE, pki.file(pki.certificates("ec", "other-ca")), KEY, pki.file(pki.key("ec"))))
                .singleElement()
                .asString()
                .endsWith("not every certificate is followed by that of its issuer");
        assertThat(faults(
                        CERTIFICATE,
                        pki.file(pki.certificates("branch", "of-branch")),
                        KEY,
                        pki.file(pki.key("of-branch"))))
                .singleElement()
                .asString()
                .contains("client-key-file: ");
    }

    private static String keyFault(String key, String certificate) throws Exception {
        List<String> faults = faults(CERTIFICATE, pki.file(pki.certificates(certificate)), KEY, pki.file(key));
        assertThat(faults).singleElement().asString().startsWith("muster.verifier.acme.client-key-file: ");
        return faults.get(0);
    }

    private static List<String> faults(String... keysAndValues) {
        Map<String, String> map = HttpKind.with(
                HttpKind.with(new HashMap<>(), "url", "https://api.example.com/{serial}", "pointer", "/verified"),
                keysAndValues);
        Settings settings = HttpKind.settingsOf(map);
        new HttpVerifier("acme", settings, HttpKind.CLOCK).close();
        ConfigurationException thrown =
                catchThrowableOfType(ConfigurationException.class, () -> HttpKind.check(settings, map));
        return thrown == null
                ? List.of()
                : thrown.getMessage()
                        .lines()
                        .filter(line -> line.startsWith("  - "))
                        .map(line -> line.substring(4))
                        .toList();
    }

    private void assertGenuine(HttpKind kind, String host, String... keysAndValues) {
        int before = asked.get();
        try (HttpVerifier verifier = verifier(kind, host, keysAndValues)) {
            assertThat(verifier.verify(Candidates.withSerial(HttpKind.SERIAL))).isEqualTo(Verdict.genuine());
        }
        assertThat(asked).hasValue(before + 1);
    }

    private String unavailable(HttpKind kind, String host, String... keysAndValues) {
        int before = asked.get();
        try (HttpVerifier verifier = verifier(kind, host, keysAndValues)) {
            VerificationUnavailableException thrown = catchThrowableOfType(
                    VerificationUnavailableException.class,
                    () -> verifier.verify(Candidates.withSerial(HttpKind.SERIAL)));
            assertThat(thrown).as("it was unavailable").isNotNull().hasNoCause();
            assertThat(asked).hasValue(before);
            return thrown.getMessage();
        }
    }

    private HttpVerifier verifier(HttpKind kind, String host, String... keysAndValues) {
        String authority =
                host.contains(":") ? host : host + ":" + server.getAddress().getPort();
        List<String> all = new ArrayList<>(List.of(keysAndValues));
        // A handshake takes its time on a busy machine.
        all.addAll(List.of("timeout", "PT20S", "connect-timeout", "PT10S"));
        return HttpKind.verifier(HttpKind.with(kind.settings("https://" + authority), all.toArray(String[]::new)));
    }
}
