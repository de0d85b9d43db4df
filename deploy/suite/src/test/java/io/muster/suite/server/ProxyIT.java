// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static io.muster.suite.fixture.RegistryUnderTest.CSV;
import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.muster.Required;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The samples of {@code deploy/proxy}, each in front of two nodes. Linux only: strangers come from addresses of
 * 127.0.0.0/8.
 */
@Tag("extended")
class ProxyIT {

    private static final byte[] NOTHING = {};
    private static final int REFUSALS = 3;

    private static MusterServer strict;

    private final RegistryUnderTest here = SharedWorld.onMariaDb();
    private final RegistryUnderTest there = SharedWorld.secondNode();

    @TempDir
    Path directory;

    @BeforeAll
    static void aRegistryWithASmallLimitRuns() {
        Required.there(
                Arrays.stream(ProxyServer.Kind.values()).anyMatch(ProxyServer.Kind::isInstalled),
                "no proxy is installed");
        strict = MusterServer.start(SharedWorld.settings(
                SharedWorld.directory("strict"),
                Map.of(
                        "muster.trusted-proxies", "127.0.0.1",
                        "muster.limits.refusals", String.valueOf(REFUSALS),
                        "muster.limits.window", "PT1H")));
    }

    @AfterAll
    static void itEnds() {
        if (strict != null) {
            strict.close();
        }
    }

    private ProxyServer before(ProxyServer.Kind kind, int one, int two) {
        Required.there(kind.isInstalled(), kind + " is not installed");
        return ProxyServer.start(kind, directory, one, two);
    }

    private ProxyServer beforeBoth(ProxyServer.Kind kind) {
        return before(kind, here.base().getPort(), there.base().getPort());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Reply asOperator(ProxyServer proxy, String method, String target, String type, byte[] body) {
        return proxy.exchange("127.0.0.1", method, target, type, body, "Authorization: Bearer " + here.operatorToken());
    }

    private static Reply register(ProxyServer proxy, String from, String serial, String... headers) {
        return proxy.exchange(from, "POST", "/register", JSON, utf8(RegistryUnderTest.body(serial)), headers);
    }

    @ParameterizedTest
    @EnumSource
    void deviceRegistersThroughItAndGetsAToken(ProxyServer.Kind kind) {
        try (ProxyServer proxy = beforeBoth(kind)) {
            String serial = here.expectedSerial();

            Reply registered = register(proxy, "127.0.0.1", serial);
            assertThat(registered.status()).as(registered + proxy.log()).isEqualTo(200);
            RegistryUnderTest.Registered device = RegistryUnderTest.receipt(serial, registered);
            Reply token = proxy.exchange(
                    "127.0.0.1",
                    "POST",
                    "/token",
                    FORM,
                    utf8("grant_type=client_credentials"),
                    "Authorization: " + RegistryUnderTest.basic(device.key(), device.secret()));

            assertThat(token.status()).as(token.toString()).isEqualTo(200);
            assertThat(proxy.exchange("127.0.0.1", "GET", "/health/ready", null, NOTHING)
                            .status())
                    .isEqualTo(200);
        }
    }

    @ParameterizedTest
    @EnumSource
    void importMayBeLargeAndNothingElse(ProxyServer.Kind kind) throws IOException {
        try (ProxyServer proxy = beforeBoth(kind)) {
            List<String> serials = RegistryUnderTest.unusedSerials(5_000);
            byte[] csv = utf8("serial\n" + String.join("\n", serials) + "\n");
            assertThat(csv.length).isGreaterThan(100_000);

            Reply imported = asOperator(proxy, "POST", "/api/v1/fleets/default/serials", CSV, csv);
            assertThat(imported.status()).as(imported + proxy.log()).isEqualTo(200);
            assertThat(imported.json().path("accepted").intValue()).isEqualTo(serials.size());

            byte[] other = RawHttp.request(
                    "POST",
                    "/api/v1/fleets/default/explain",
                    JSON,
                    csv,
                    "Authorization: Bearer " + here.operatorToken());
            try (RawHttp http = proxy.connect("127.0.0.1")) {
                // httpd answers when it has read too much. At the others, bytes after the answer would break the
                // connection.
                http.write(kind == ProxyServer.Kind.HTTPD ? other : Arrays.copyOf(other, 16_000));
                assertThat(http.reply(false).status()).isEqualTo(413);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void serialWithASlashIsASerial(ProxyServer.Kind kind) {
        try (ProxyServer proxy = beforeBoth(kind)) {
            String serial = "A/" + RegistryUnderTest.unusedSerial() + "/..//%2F+&";
            here.expect(serial);
            String target = "/api/v1/fleets/default/serials/" + RegistryUnderTest.encoded(serial);

            Reply found = asOperator(proxy, "GET", target, null, NOTHING);
            assertThat(found.status()).as(found + proxy.log()).isEqualTo(200);
            assertThat(found.json().path("serial").textValue()).isEqualTo(serial);
            assertThat(asOperator(proxy, "POST", target + "/block", JSON, utf8("{}"))
                            .status())
                    .isEqualTo(200);
            assertThat(register(proxy, "127.0.0.1", serial).status()).isIn(400, 403);
            assertThat(asOperator(proxy, "GET", "/api/v1/fleets/default/serials/ABC%zz", null, NOTHING)
                            .status())
                    .isIn(400, 404);
        }
    }

    @ParameterizedTest
    @EnumSource
    void recordsHaveTheAddressOfTheStrangerWhateverItClaims(ProxyServer.Kind kind) {
        try (ProxyServer proxy = beforeBoth(kind)) {
            String serial = RegistryUnderTest.unusedSerial();

            Reply refused = register(
                    proxy,
                    "127.0.0.77",
                    serial,
                    "X-Forwarded-For: 203.0.113.1",
                    "X-Forwarded-For: 203.0.113.2, 127.0.0.1",
                    "Forwarded: for=203.0.113.3",
                    "X-Real-IP: 203.0.113.4");

            assertThat(refused.status()).isIn(400, 403);
            assertRecordedFrom("127.0.0.77", here, serial);
        }
    }

    private static void assertRecordedFrom(String address, RegistryUnderTest registry, String serial) {
        Within.within(Duration.ofSeconds(10), "the refusal of " + serial + " is recorded", () -> {
            for (var event : registry.get("api/v1/events?limit=100", registry.asOperator())
                    .json()
                    .path("events")) {
                if (event.path("serial").asText().equals(serial)) {
                    assertThat(event.path("who").asText()).isEqualTo(address);
                    return true;
                }
            }
            return false;
        });
    }

    @Test
    void trustedProxyIsBelievedAndNobodyWhereNoneIsTrusted() {
        RegistryUnderTest trusting = here;
        RegistryUnderTest strange = SharedWorld.embedded();
        for (RegistryUnderTest registry : List.of(trusting, strange)) {
            String serial = RegistryUnderTest.unusedSerial();

            registry.post(
                    "register", JSON, RegistryUnderTest.body(serial), "X-Forwarded-For", "203.0.113.1, 203.0.113.2");

            assertRecordedFrom(registry == trusting ? "203.0.113.2" : "127.0.0.1", registry, serial);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoeverIsRefusedTooOftenIsThatAddressAlone(ProxyServer.Kind kind) {
        int port = strict.base().getPort();
        try (ProxyServer proxy = before(kind, port, port)) {
            int number = 1 + List.of(ProxyServer.Kind.values()).indexOf(kind);
            String stranger = "127.0.1." + number;
            String other = "127.0.2." + number;
            int status = 0;
            for (int i = 0; i <= 2 * REFUSALS && status != 429; i++) {
                status = register(
                                proxy,
                                stranger,
                                "SN-nobody",
                                "X-Forwarded-For: 203.0.113." + i,
                                "Forwarded: for=203.0.113." + i)
                        .status();
            }

            assertThat(status).isEqualTo(429);
            assertThat(register(proxy, other, "SN-nobody").status()).isEqualTo(400);
        }
    }

    @ParameterizedTest
    @EnumSource
    void bothNodesAreAskedAndOneIsEnough(ProxyServer.Kind kind) {
        try (ProxyServer proxy = beforeBoth(kind)) {
            Set<Integer> statuses = new TreeSet<>();
            for (int i = 0; i < 20; i++) {
                statuses.add(register(proxy, "127.0.0.1", RegistryUnderTest.unusedSerial())
                        .status());
            }
            assertThat(statuses).containsExactly(400, 403);
        }
        try (ProxyServer proxy =
                before(kind, SharedWorld.unusedPort(), here.base().getPort())) {
            for (int i = 0; i < 10; i++) {
                String serial = here.expectedSerial();
                Reply reply = register(proxy, "127.0.0.1", serial);
                assertThat(reply.status()).as(reply + proxy.log()).isEqualTo(200);
            }
        }
    }

    /** A registry that counts the requests to register whose head has come. */
    private static HttpServer counting(AtomicInteger begun, ExecutorService threads) throws IOException {
        HttpServer node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.setExecutor(threads);
        node.createContext("/", ProxyIT::answer);
        node.createContext("/register", exchange -> {
            begun.incrementAndGet();
            answer(exchange);
        });
        node.start();
        return node;
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, -1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NGINX", "HAPROXY"})
    void nodeIsAskedWhenTheBodyIsThere(ProxyServer.Kind kind) throws IOException {
        AtomicInteger begun = new AtomicInteger();
        ExecutorService threads = Executors.newCachedThreadPool();
        HttpServer node = counting(begun, threads);
        int port = node.getAddress().getPort();
        try (ProxyServer proxy = before(kind, port, port);
                RawHttp slow = proxy.connect("127.0.0.1")) {
            byte[] request = RawHttp.request("POST", "/register", JSON, utf8(RegistryUnderTest.body("SN-0001")));
            slow.write(Arrays.copyOf(request, request.length - 5));
            for (int i = 1; i <= 10; i++) {
                assertThat(register(proxy, "127.0.0.1", "SN-0002").status()).isEqualTo(200);
                assertThat(begun).hasValue(i);
            }

            slow.write(Arrays.copyOfRange(request, request.length - 5, request.length));

            assertThat(slow.reply(false).status()).isEqualTo(200);
            assertThat(begun).hasValue(11);
        } finally {
            node.stop(0);
            threads.shutdownNow();
        }
    }
}
