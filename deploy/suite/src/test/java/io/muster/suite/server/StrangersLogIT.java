// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static io.muster.suite.fixture.RegistryUnderTest.body;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Signer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Nobody without a credential can fill the log, or make it contain the secrets of others. */
@Tag("portable")
class StrangersLogIT {

    private static final int TIMES = 20;

    static Stream<RegistryUnderTest> everyDatabase() {
        return Stream.of(SharedWorld.onMariaDb(), SharedWorld.embedded());
    }

    /** Something that anybody can send. */
    private interface Request {
        void send() throws IOException;
    }

    private static Request raw(RegistryUnderTest registry, String text) {
        return raw(registry, text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sends bytes as they are, and does not wait long for the answer. */
    private static Request raw(RegistryUnderTest registry, byte[] bytes) {
        return () -> {
            try (Socket socket = connect(registry)) {
                socket.setSoTimeout(2000);
                socket.getOutputStream().write(bytes);
                socket.shutdownOutput();
                socket.getInputStream().read();
            } catch (IOException e) {
                // The server's answer does not matter; its log does.
                assertThat(e).isNotNull();
            }
        };
    }

    /** Sends something and resets the connection. */
    private static Request reset(RegistryUnderTest registry, byte[] bytes) {
        return () -> {
            try (Socket socket = connect(registry)) {
                socket.setSoLinger(true, 0);
                socket.getOutputStream().write(bytes);
            }
        };
    }

    private static Socket connect(RegistryUnderTest registry) throws IOException {
        Socket socket = new Socket();
        socket.connect(
                new InetSocketAddress(registry.base().getHost(), registry.base().getPort()), 30_000);
        return socket;
    }

    private static String head(String method, String target, String... headers) {
        return method + " " + target + " HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n"
                + String.join(
                        "", Stream.of(headers).map(header -> header + "\r\n").toList()) + "\r\n";
    }

    private static byte[] registration(String serial) {
        return RawHttp.request("POST", "/register", JSON, body(serial).getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, Request> malformed(RegistryUnderTest registry) {
        String json = "Content-Type: application/json";
        Map<String, Request> requests = new LinkedHashMap<>();
        requests.put(
                "length and chunks",
                raw(
                        registry,
                        head("POST", "/register", json, "Transfer-Encoding: chunked", "Content-Length: 5")
                                + "0\r\n\r\n"));
        requests.put(
                "two lengths",
                raw(registry, head("POST", "/register", json, "Content-Length: 1", "Content-Length: 2")));
        requests.put("no length", raw(registry, head("POST", "/register", json, "Content-Length: x") + "{}"));
        requests.put(
                "no chunk", raw(registry, head("POST", "/register", json, "Transfer-Encoding: chunked") + "zz\r\n"));
        requests.put(
                "half a body",
                reset(
                        registry,
                        (head("POST", "/register", json, "Content-Length: 50") + "{")
                                .getBytes(StandardCharsets.ISO_8859_1)));
        requests.put("no reader", reset(registry, registration(RegistryUnderTest.unusedSerial())));
        byte[] hello = new byte[250];
        hello[0] = 0x16;
        hello[1] = 3;
        hello[2] = 1;
        requests.put("TLS", raw(registry, hello));
        requests.put("garbage", raw(registry, "\1\2\3 \u00a1\u00ff \7\r\n\r\n"));
        requests.put("other protocol", raw(registry, "GET / MUSTER/7.5\r\nHost: muster\r\n\r\n"));
        requests.put("method", raw(registry, head("B@D{}", "/register")));
        requests.put("path", raw(registry, head("GET", "/%zz")));
        requests.put("query", raw(registry, head("GET", "/health/live?a=%zz&%ff")));
        requests.put("host", raw(registry, head("GET", "/health/live").replace("Host: muster", "Host: a b:x")));
        requests.put(
                "cookies",
                raw(
                        registry,
                        head(
                                "GET",
                                "/health/live",
                                "Cookie: JSESSIONID=x; JSESSIONIDSSO=y; JSESSIONIDVERSION=/:1; a=\"b")));
        requests.put("long header", raw(registry, head("GET", "/health/live", "X: " + "x".repeat(20_000))));
        requests.put("upgrade", raw(registry, head("GET", "/health/live", "Upgrade: h2c", "HTTP2-Settings: !")));
        requests.put(
                "type", raw(registry, head("POST", "/register", "Content-Type: ///;;=\"", "Content-Length: 2") + "{}"));
        requests.put(
                "charset",
                raw(
                        registry,
                        head("POST", "/token", "Content-Type: " + FORM + ";charset=none", "Content-Length: 3")
                                + "a=b"));
        requests.put("accept", raw(registry, head("GET", "/health/live", "Accept: ///;q=x")));
        return requests;
    }

    private static List<Request> refused(RegistryUnderTest registry, Registered device, Signer own, String ownKey) {
        String issuer = registry.get(".well-known/oauth-authorization-server")
                .json()
                .path("issuer")
                .asText();
        String assertion = Signer.form(own.assertion(issuer, ownKey));
        String proof = own.proof("POST", issuer + "/token");
        String grant = "grant_type=client_credentials";
        String basic = RegistryUnderTest.basic(device.key(), device.secret());
        return List.of(
                () -> registry.register(device.serial()),
                () -> registry.register(RegistryUnderTest.unusedSerial()),
                () -> registry.post("token", FORM, grant + "&" + assertion),
                () -> registry.post("token", FORM, grant, "Authorization", basic, "DPoP", proof),
                () -> registry.token(device.key(), "wrong"),
                () -> registry.ownRecord("e30.e30.AAAA"),
                () -> registry.introspect("e30.e30.AAAA"),
                () -> registry.post("mqtt/guessed/rabbitmq/user", FORM, "username=a"));
    }

    @ParameterizedTest
    @MethodSource("everyDatabase")
    void whatAnybodyCanSendWritesALineAMinuteAtMost(RegistryUnderTest registry) throws Exception {
        Registered device = registry.newDevice();
        registry.accessToken(device);
        Signer own = Signer.make();
        String serial = registry.expectedSerial();
        String issuer = registry.get(".well-known/oauth-authorization-server")
                .json()
                .path("issuer")
                .asText();
        String ownKey = registry.post("register", JSON, own.registration(issuer, serial))
                .json()
                .path("key")
                .asText();
        Map<String, Request> malformed = malformed(registry);
        List<Request> refused = refused(registry, device, own, ownKey);
        long before = size(registry.server().log());

        List<Request> all =
                Stream.concat(refused.stream(), malformed.values().stream()).toList();
        // At once, because a refusal takes its time.
        ExecutorService strangers = Executors.newFixedThreadPool(10);
        try {
            for (Future<?> one : strangers.invokeAll(Collections.nCopies(TIMES, () -> {
                for (Request request : all) {
                    request.send();
                }
                return null;
            }))) {
                one.get();
            }
        } finally {
            strangers.shutdown();
        }
        // The last refusal is logged when its connection is found to be closed.
        registry.register(device.serial());

        String log = since(registry.server().log(), before);
        assertThat(log)
                .doesNotContain(device.serial(), device.key(), device.secret(), serial, ownKey, own.thumbprint())
                .doesNotContainIgnoringCase("duplicate entry");
        if (registry.server().kind() == ServerKind.MICRO) {
            // Some kinds are counted by the server, each with a trace once a minute.
            assertThat(log.lines()
                            .filter(line -> line.matches("\\d{4}-\\d\\d-\\d\\dT.*"))
                            .toList())
                    .hasSizeLessThan(TIMES / 2);
            assertThat(log.lines().count()).isLessThan(TIMES * malformed.size() / 3);
        }
    }

    private static long size(Path log) {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            return file.length();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String since(Path log, long start) {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            byte[] bytes = new byte[(int) (file.length() - start)];
            file.seek(start);
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
