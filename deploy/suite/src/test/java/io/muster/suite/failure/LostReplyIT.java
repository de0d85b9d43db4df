// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.muster.client.DeviceClient;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A thousand devices whose first reply is lost after the registry has answered, in a fleet that registers no serial
 * twice.
 */
@Aside
class LostReplyIT {

    private static final int DEVICES = 1000;
    private static final int AT_ONCE = 40;

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();
    private final Map<String, Integer> answered = new ConcurrentHashMap<>();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    Path stores;

    @Test
    void everyDeviceWhoseReplyWasLostWorksAfterTwoRetriesAndNobodyElseGetsItsSecret() throws Exception {
        String fleet = "lost-replies";
        Reply made = registry.send(
                "PUT",
                "api/v1/fleets/" + fleet,
                "{\"verifiers\":[\"database\"],\"registerAgain\":\"never\"}".getBytes(StandardCharsets.UTF_8),
                "Authorization",
                "Bearer " + registry.operatorToken(),
                "Content-Type",
                RegistryUnderTest.JSON);
        assertThat(made.status()).as(made.toString()).isIn(200, 201);
        List<String> serials = RegistryUnderTest.unusedSerials(DEVICES);
        registry.expect(fleet, serials);
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        ExecutorService proxying = Executors.newCachedThreadPool();
        ExecutorService devices = Executors.newFixedThreadPool(AT_ONCE);
        try {
            proxy.setExecutor(proxying);
            proxy.createContext("/", this::forward);
            proxy.start();
            URI address = URI.create("http://127.0.0.1:" + proxy.getAddress().getPort());

            List<Callable<String>> starts = serials.stream()
                    .<Callable<String>>map(serial -> () -> DeviceClient.builder()
                            .registry(address)
                            .fleet(fleet)
                            .serial(serial)
                            .store(stores.resolve(serial + ".json"))
                            .build()
                            .accessToken())
                    .toList();

            for (Future<String> token : devices.invokeAll(starts)) {
                assertThat(token.get()).isNotEmpty();
            }
        } finally {
            devices.shutdownNow();
            proxy.stop(0);
            proxying.shutdownNow();
        }
        assertThat(answered).hasSize(DEVICES);
        assertThat(answered.values()).allMatch(times -> times >= 2 && times <= 3);
        for (String serial : serials.subList(0, 20)) {
            assertProblem(registry.registerIn(fleet, serial), 400, "registration-refused");
        }
    }

    /** Passes everything on, and loses the first reply to each serial's registration after the registry has sent it. */
    private void forward(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        HttpRequest.Builder request = HttpRequest.newBuilder(registry.base()
                        .resolve(exchange.getRequestURI().getPath().substring(1)))
                .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
        for (String header : List.of("Content-Type", "Authorization")) {
            String value = exchange.getRequestHeaders().getFirst(header);
            if (value != null) {
                request.header(header, value);
            }
        }
        try {
            HttpResponse<byte[]> reply = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            if (exchange.getRequestURI().getPath().endsWith("/register")) {
                assertThat(reply.statusCode()).isEqualTo(200);
                String text = new String(body, StandardCharsets.UTF_8);
                String serial = text.replaceFirst(".*\"serial\":\"([^\"]+)\".*", "$1");
                if (answered.merge(serial, 1, Integer::sum) == 1) {
                    exchange.close();
                    return;
                }
            }
            reply.headers().firstValue("Content-Type").ifPresent(type -> exchange.getResponseHeaders()
                    .set("Content-Type", type));
            exchange.sendResponseHeaders(reply.statusCode(), reply.body().length == 0 ? -1 : reply.body().length);
            exchange.getResponseBody().write(reply.body());
            exchange.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            exchange.close();
        }
    }
}
