// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.config.MusterConfig.Management;
import io.muster.credential.ClientAuthenticator.Used;
import io.muster.spi.DeviceId;
import io.muster.verification.http.HttpPki;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The calls to brokers, by their documentation, and their answers. */
class HttpManagementTest {

    private static final DeviceId DEVICE = new DeviceId("0123456789abcdef0123456789abcdef");

    private final List<String> called = new CopyOnWriteArrayList<>();
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private HttpServer broker;
    private Used used = new Used(List.of(), List.of());

    @BeforeEach
    void start() throws IOException {
        broker = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        broker.createContext("/", exchange -> {
            String call = exchange.getRequestMethod() + " " + exchange.getRequestURI();
            called.add(call);
            byte[] body = answers.getOrDefault(call, "").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(body.length == 0 ? 204 : 200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        broker.start();
    }

    @AfterEach
    void stop() {
        broker.stop(0);
    }

    private BrokerManagement management(BrokerKind kind) {
        return management(kind, "http://127.0.0.1:" + broker.getAddress().getPort(), Optional.empty());
    }

    private BrokerManagement management(BrokerKind kind, String url, Optional<List<X509Certificate>> authorities) {
        return HttpManagement.of(
                new Broker(
                        "fake",
                        kind,
                        List.of(),
                        Set.of(),
                        Optional.of(new Management(URI.create(url), "muster", "a password", authorities)),
                        false),
                device -> used);
    }

    @Test
    void brokerOverTlsIsToldIfItsAuthorityIsTrusted(@TempDir Path dir) throws Exception {
        HttpPki pki = new HttpPki(dir).authority("authority").authority("other").server("broker", "authority");
        HttpsServer encrypted = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        encrypted.setHttpsConfigurator(new HttpsConfigurator(pki.serving("broker", "authority")));
        encrypted.createContext("/", exchange -> {
            called.add(exchange.getRequestMethod());
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        encrypted.start();
        try {
            String url = "https://localhost:" + encrypted.getAddress().getPort();
            BrokerManagement trusting = management(BrokerKind.RABBITMQ, url, only(pki, "authority"));
            BrokerManagement trustingAnother = management(BrokerKind.RABBITMQ, url, only(pki, "other"));

            assertThatThrownBy(() -> trustingAnother.disconnect("collector")).isInstanceOf(IOException.class);
            assertThat(called).isEmpty();
            trusting.disconnect("collector");
            assertThat(called).containsExactly("DELETE");
        } finally {
            encrypted.stop(0);
        }
    }

    private static Optional<List<X509Certificate>> only(HttpPki pki, String name) throws Exception {
        return Optional.of(List.of((X509Certificate) pki.certificate(name)));
    }

    @Test
    void emqxIsAskedForTheClientsOfAnOperator() throws Exception {
        answers.put(
                "GET /api/v5/clients?limit=1000&username=col%20lector",
                "{\"data\":[{\"clientid\":\"a/1\",\"username\":\"col"
                        + " lector\"},{\"clientid\":\"b\"}],\"meta\":{\"count\":2}}");

        management(BrokerKind.EMQX).disconnect("col lector");

        assertThat(called)
                .containsExactly(
                        "GET /api/v5/clients?limit=1000&username=col%20lector",
                        "DELETE /api/v5/clients/a%2F1", "DELETE /api/v5/clients/b");
    }

    @Test
    void verneMqIsAskedForTheClientsOfAnOperator() throws Exception {
        answers.put(
                "GET /api/v1/session/show?--client_id&--user=collector",
                "{\"table\":[{\"client_id\":\"a&b\"}],\"type\":\"table\"}");

        management(BrokerKind.VERNEMQ).disconnect("collector");

        assertThat(called)
                .containsExactly(
                        "GET /api/v1/session/show?--client_id&--user=collector",
                        "GET /api/v1/session/disconnect?client-id=a%26b&--cleanup");
    }

    @Test
    void listThatDoesNotComeIsNoEmptyList() {
        assertThatThrownBy(() -> management(BrokerKind.EMQX).disconnect("collector"))
                .isInstanceOf(IOException.class);
        answers.put("GET /api/v5/clients?limit=1000&username=collector", "<html>");
        assertThatThrownBy(() -> management(BrokerKind.EMQX).disconnect("collector"))
                .isInstanceOf(IOException.class);
    }

    @Test
    void whatADeviceNoLongerHasIsEndedAndWhatWaitsForItOnlyWhenItHasNothingLeft() throws Exception {
        BrokerManagement rabbit = management(BrokerKind.RABBITMQ);

        assertThat(rabbit.keep(DEVICE).ended()).isFalse();
        used = new Used(List.of("a", "b"), List.of("a"));
        assertThat(rabbit.keep(DEVICE).ended()).isTrue();
        used = new Used(List.of("a"), List.of("a"));
        rabbit.keep(DEVICE);

        assertThat(called)
                .containsExactly(
                        "DELETE /api/connections/username/a",
                        "DELETE /api/connections/username/a",
                        "DELETE /api/queues/%2F/mqtt-subscription-" + DEVICE.value() + "qos0",
                        "DELETE /api/queues/%2F/mqtt-subscription-" + DEVICE.value() + "qos1",
                        "DELETE /api/queues/%2F/mqtt-will-" + DEVICE.value());
    }

    /** A session would otherwise go on with the subscriptions that it has. */
    @Test
    void deviceThatIsToConnectAnewLosesGoodConnectionsAndSessions() throws Exception {
        for (BrokerKind kind : List.of(BrokerKind.RABBITMQ, BrokerKind.EMQX, BrokerKind.VERNEMQ, BrokerKind.JSON)) {
            used = new Used(List.of(), List.of());
            assertThat(management(kind).anew(DEVICE).ended()).isFalse();
            assertThat(called).isEmpty();
        }
        used = new Used(List.of("a", "b"), List.of("a"));

        assertThat(management(BrokerKind.RABBITMQ).anew(DEVICE).ended()).isTrue();
        assertThat(called)
                .containsExactly(
                        "DELETE /api/connections/username/a",
                        "DELETE /api/connections/username/b",
                        "DELETE /api/queues/%2F/mqtt-subscription-" + DEVICE.value() + "qos0",
                        "DELETE /api/queues/%2F/mqtt-subscription-" + DEVICE.value() + "qos1",
                        "DELETE /api/queues/%2F/mqtt-will-" + DEVICE.value());
        called.clear();
        management(BrokerKind.EMQX).anew(DEVICE);
        management(BrokerKind.VERNEMQ).anew(DEVICE);
        management(BrokerKind.JSON).anew(DEVICE);
        assertThat(called)
                .containsExactly(
                        "DELETE /api/v5/clients/" + DEVICE.value(),
                        "GET /api/v1/session/disconnect?client-id=" + DEVICE.value() + "&--cleanup",
                        "DELETE /clients/" + DEVICE.value() + "?session=end");
    }

    @Test
    void rabbitMqIsToldByName() throws Exception {
        management(BrokerKind.RABBITMQ).disconnect("collector");

        assertThat(called).containsExactly("DELETE /api/connections/username/collector");
    }
}
