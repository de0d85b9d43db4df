// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static io.muster.suite.fixture.Within.pass;
import static io.muster.suite.fixture.Within.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.ManyConnections;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code muster.jar} asks for client certificates as the page of {@code x509} describes: a device sends only its
 * serial.
 */
@Aside
@Tag("extended")
class ConnectionCertificateIT {

    private static final String SERVER = "srv";

    private static Path directory;
    private static final Semaphore ASKED = new Semaphore(0);
    private static final Semaphore ANSWERS = new Semaphore(0);

    /** An API that answers when it is told to. */
    private static final HttpServer HELD = api();

    private static Factory factory;
    private static Path serverStore;
    private static MusterServer server;
    private static RegistryUnderTest registry;
    private static URI base;

    @BeforeAll
    static void start() throws IOException {
        directory = SharedWorld.directory("connection");
        factory = new Factory(directory);
        serverStore = Factory.serverStore(directory, SERVER);
        int port = SharedWorld.unusedPort();
        base = URI.create("https://127.0.0.1:" + port + "/");
        Path want = Files.writeString(
                directory.resolve("want.txt"),
                "set configs.config.server-config.network-config.protocols.protocol.https-listener.ssl.client-auth=want\n");
        server = MusterServer.start(SharedWorld.settings(
                        directory,
                        Map.of(
                                "muster.issuer",
                                "https://127.0.0.1:" + port,
                                "muster.fleet.default.verifiers",
                                "x509",
                                "muster.verifier.x509.ca-file",
                                factory.caFile().toString(),
                                "muster.fleets",
                                "held",
                                "muster.fleet.held.verifiers",
                                "held",
                                "muster.verifier.held.type",
                                "http",
                                "muster.verifier.held.url",
                                "http://127.0.0.1:" + HELD.getAddress().getPort() + "/{serial}",
                                "muster.verifier.held.allow-http",
                                "true",
                                "muster.verifier.held.allow-private",
                                "true",
                                "muster.verifier.held.status-only",
                                "true"))
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

    private static HttpServer api() {
        try {
            HttpServer api = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            api.createContext("/", exchange -> {
                ASKED.release();
                try {
                    assertThat(ANSWERS.tryAcquire(1, TimeUnit.MINUTES)).isTrue();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                exchange.sendResponseHeaders(200, -1);
                exchange.close();
            });
            api.start();
            return api;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterAll
    static void stop() {
        HELD.stop(0);
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

    private static SSLContext tls(String protocol, KeyManager... keys) throws GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(Factory.load(serverStore));
        SSLContext tls = SSLContext.getInstance(protocol);
        tls.init(keys, trust.getTrustManagers(), null);
        return tls;
    }

    private static HttpClient client(String protocol, KeyManager... keys) throws GeneralSecurityException {
        return HttpClient.newBuilder()
                .sslContext(tls(protocol, keys))
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
        Factory foreign = new Factory(SharedWorld.directory("foreign"));
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

    /** Payara ran one request in fifteen twice. The second run found no body, and its answer came first. */
    @Test
    void requestsOfManyConnectionsRunOnceEach() throws Exception {
        assertThat(ManyConnections.register(() -> client("TLS"), base.resolve("register")))
                .isEqualTo(ManyConnections.ALL_REFUSED);
    }

    /** The time limit of a body must not end what came after the body. */
    @Test
    void requestWhoseBodyCameLaterIsAnsweredOnceAlthoughTheMachineStoodStill() throws Exception {
        String body = RegistryUnderTest.body(RegistryUnderTest.unusedSerial());
        SubmissionPublisher<ByteBuffer> later = new SubmissionPublisher<>();
        CompletableFuture<HttpResponse<String>> answer = client("TLS")
                .sendAsync(
                        HttpRequest.newBuilder(base.resolve("fleets/held/register"))
                                .timeout(Duration.ofMinutes(1))
                                .header("Content-Type", RegistryUnderTest.JSON)
                                .POST(BodyPublishers.fromPublisher(later, body.length()))
                                .build(),
                        BodyHandlers.ofString());
        within(Duration.ofSeconds(10), "the head is sent", () -> later.getNumberOfSubscribers() > 0);
        // Until the server waits for the body.
        pass(Duration.ofSeconds(1));
        later.submit(ByteBuffer.wrap(body.getBytes(StandardCharsets.UTF_8)));
        later.close();
        assertThat(ASKED.tryAcquire(20, TimeUnit.SECONDS)).isTrue();

        Processes.signal(server.pid(), "STOP");
        try {
            pass(Duration.ofSeconds(11));
        } finally {
            ANSWERS.release();
            Processes.signal(server.pid(), "CONT");
        }

        // In time or not, it is one answer, and its status is the one in its body.
        HttpResponse<String> got = answer.get(1, TimeUnit.MINUTES);
        assertThat(got.statusCode()).as(got.body()).isIn(200, 503);
        JsonNode json = new ObjectMapper()
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .readTree(got.body());
        assertThat(json.path("status").asInt(200)).isEqualTo(got.statusCode());
    }

    /** A frame of HTTP/2 (RFC 9113 section 4.1). */
    private record Frame(int type, int flags, int stream, byte[] payload) {

        private static final int DATA = 0;
        private static final int HEADERS = 1;
        private static final int SETTINGS = 4;
        private static final int PING = 6;
        private static final int END_STREAM = 1;
        private static final int ACK = 1;
        private static final int END_HEADERS = 4;

        static Frame read(DataInputStream in) throws IOException {
            int start = in.readInt();
            int flags = in.readUnsignedByte();
            return new Frame(start & 0xff, flags, in.readInt(), in.readNBytes(start >>> 8));
        }

        void write(DataOutputStream out) throws IOException {
            out.writeInt(payload.length << 8 | type);
            out.writeByte(flags);
            out.writeInt(stream);
            out.write(payload);
            out.flush();
        }
    }

    @Test
    void connectionOfHttp2ThatRestsIsKept() throws Exception {
        try (SSLSocket socket =
                (SSLSocket) tls("TLSv1.3").getSocketFactory().createSocket(base.getHost(), base.getPort())) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(30_000);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            out.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
            new Frame(Frame.SETTINGS, 0, 0, new byte[0]).write(out);
            // GET (2) of https (7), and literally the path (4) and the authority (1), by RFC 7541.
            byte[] get = "\u0082\u0087\u0004\u000c/health/live\u0001\u0006muster".getBytes(StandardCharsets.ISO_8859_1);
            new Frame(Frame.HEADERS, Frame.END_STREAM | Frame.END_HEADERS, 1, get).write(out);
            Frame answer = Frame.read(in);
            while (answer.type() != Frame.DATA || (answer.flags() & Frame.END_STREAM) == 0) {
                answer = Frame.read(in);
            }
            assertThat(new String(answer.payload(), StandardCharsets.UTF_8)).contains("UP");

            new Frame(Frame.SETTINGS, Frame.ACK, 0, new byte[0]).write(out);
            socket.setSoTimeout(12_000);
            assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);

            new Frame(Frame.PING, 0, 0, new byte[8]).write(out);
            assertThat(Frame.read(in).type()).isEqualTo(Frame.PING);
        }
    }
}
