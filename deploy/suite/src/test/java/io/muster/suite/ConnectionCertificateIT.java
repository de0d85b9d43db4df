package io.muster.suite;

import static io.muster.suite.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.suite.server.MusterServer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code muster.jar} that asks for client certificates as the page of {@code x509} says: a device sends nothing but its serial. */
class ConnectionCertificateIT {

    private static final String SERVER = "srv";

    private static Path directory;
    private static Factory factory;
    private static Path serverStore;
    private static MusterServer server;
    private static RegistryUnderTest registry;
    private static URI base;

    @BeforeAll
    static void start() throws IOException {
        directory = Registries.directory("connection");
        factory = new Factory(directory);
        serverStore = Factory.serverStore(directory, SERVER);
        int port = Registries.unusedPort();
        base = URI.create("https://127.0.0.1:" + port + "/");
        Path want = Files.writeString(
                directory.resolve("want.txt"),
                "set configs.config.server-config.network-config.protocols.protocol.https-listener.ssl.client-auth=want\n");
        server = MusterServer.start(Registries.settings(
                        directory,
                        Map.of(
                                "muster.issuer",
                                "https://127.0.0.1:" + port,
                                "muster.fleet.default.verifiers",
                                "x509",
                                "muster.verifier.x509.ca-file",
                                factory.caFile().toString()))
                .withSystemProperty("javax.net.ssl.keyStore", serverStore.toString())
                .withSystemProperty("javax.net.ssl.keyStorePassword", Factory.PASSWORD)
                .withSystemProperty(
                        "javax.net.ssl.trustStore", factory.trustStore().toString())
                .withSystemProperty("javax.net.ssl.trustStorePassword", Factory.PASSWORD)
                .withArguments(
                        "--sslport",
                        Integer.toString(port),
                        "--sslcert",
                        SERVER,
                        "--prebootcommandfile",
                        want.toString()));
        registry = new RegistryUnderTest(server, server.operatorToken());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** Shows this certificate whatever authorities the server names, which the JDK's own does not. */
    private static final class OneKey extends X509ExtendedKeyManager {

        private final Factory.Unit unit;

        OneKey(Factory.Unit unit) {
            this.unit = unit;
        }

        @Override
        public String[] getClientAliases(String keyType, Principal[] issuers) {
            return new String[] {"unit"};
        }

        @Override
        public String chooseClientAlias(String[] keyType, Principal[] issuers, Socket socket) {
            return "unit";
        }

        @Override
        public String chooseEngineClientAlias(String[] keyType, Principal[] issuers, SSLEngine engine) {
            return "unit";
        }

        @Override
        public String[] getServerAliases(String keyType, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
            return null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {(X509Certificate) unit.certificate()};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return unit.key();
        }
    }

    private static HttpClient client(String protocol, KeyManager... keys) throws GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(Factory.load(serverStore));
        SSLContext tls = SSLContext.getInstance(protocol);
        tls.init(keys, trust.getTrustManagers(), null);
        return HttpClient.newBuilder()
                .sslContext(tls)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }

    private static Reply register(HttpClient client, URI at, String serial, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(at.resolve("register"))
                .timeout(Duration.ofSeconds(30))
                .header("Content-Type", RegistryUnderTest.JSON)
                .POST(BodyPublishers.ofString(RegistryUnderTest.body(serial)));
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<byte[]> response = client.send(request.build(), BodyHandlers.ofByteArray());
        return new Reply(response.statusCode(), response.headers().map(), response.body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void deviceRegistersWithTheCertificateOfItsConnectionAndNothingElse(String protocol) throws Exception {
        String serial = RegistryUnderTest.unusedSerial();

        Reply reply = register(client(protocol, new OneKey(factory.unit(serial))), base, serial);

        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(registry.token(RegistryUnderTest.receipt(serial, reply)).status())
                .isEqualTo(200);
        assertThat(registry.devicesOf(serial).get(0).at("/tags/certificate").asText())
                .matches("[0-9a-f]{64}");
    }

    @Test
    void certificateOfAnotherDeviceIsRefused() throws Exception {
        String serial = RegistryUnderTest.unusedSerial();
        HttpClient other = client("TLS", new OneKey(factory.unit(RegistryUnderTest.unusedSerial())));

        assertProblem(register(other, base, serial), 400, "registration-refused");
    }

    @Test
    void deviceWithoutACertificateMayConnectAndIsRefused() throws Exception {
        String serial = RegistryUnderTest.unusedSerial();

        assertProblem(register(client("TLS"), base, serial), 400, "registration-refused");
        assertProblem(register(client("TLS"), server.base(), serial), 400, "registration-refused");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void certificateFromAForeignAuthorityOfTheSameNameFailsTheHandshake(String protocol) throws Exception {
        String serial = RegistryUnderTest.unusedSerial();
        Factory foreign = new Factory(Registries.directory("foreign"));
        HttpClient stranger = client(protocol, new OneKey(foreign.unit(serial)));

        assertThatThrownBy(() -> register(stranger, base, serial)).isInstanceOf(IOException.class);
        assertThat(registry.devicesOf(serial)).isEmpty();
    }

    @Test
    void headersThatClaimACertificateClaimNothing() throws Exception {
        String serial = RegistryUnderTest.unusedSerial();
        String base64 = Base64.getEncoder()
                .encodeToString(factory.unit(serial).certificate().getEncoded());
        String pem = URLEncoder.encode(
                "-----BEGIN CERTIFICATE-----\n" + base64 + "\n-----END CERTIFICATE-----\n", StandardCharsets.UTF_8);
        String[] claims = {
            "X-Client-Cert", pem,
            "X-Forwarded-Client-Cert", "Subject=\"CN=" + serial + "\";Cert=\"" + pem + "\"",
            "X-SSL-Client-Cert", pem,
            "SSL_CLIENT_CERT", pem,
            "Proxy-auth-cert", base64,
            "Client-Cert", ":" + base64 + ":",
            "X-Client-Verify", "SUCCESS"
        };

        for (URI at : List.of(base, server.base())) {
            assertProblem(register(client("TLS"), at, serial, claims), 400, "registration-refused");
        }
        assertThat(registry.devicesOf(serial)).isEmpty();
    }
}
