// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;

/** A registry on the loopback address that gives prescribed answers in order, and remembers the requests. */
public final class ScriptedRegistry implements AutoCloseable {

    /** The secret of every receipt here; it contains characters that form encoding must encode. */
    public static final String SECRET = "s3cr3t-Of_the+device/%&=:é";

    public static final String RECEIPT =
            """
            {"deviceId":"0190b6f0a1b27c3d8e4f5a6b7c8d9e0f","key":"AKEY0123456789abcdef","secret":"%s",
             "fleet":"default","name":"Sensor 7","tags":{"serial":"SN-0007","hall":"B"},
             "attributes":{"temperature":21.5,"floor":3,"indoor":true},"configuration":{"interval":"PT30S"},
             "expiresAt":"2026-11-24T00:00:00Z","links":{"token":"https://elsewhere.example/token"},"new":[1,{"a":null}]}"""
                    .formatted(SECRET);

    /** One request as it arrived. */
    record Request(String method, String path, Map<String, List<String>> headers, String body) {

        String header(String name) {
            return headers.getOrDefault(name, List.of("")).get(0);
        }
    }

    /** One answer. */
    @FunctionalInterface
    public interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<Answer> script = new ArrayDeque<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();

    /** Starts one that speaks plain http. */
    public ScriptedRegistry() {
        this(http());
    }

    ScriptedRegistry(SSLContext tls) throws IOException {
        this(https(tls));
    }

    private ScriptedRegistry(HttpServer server) {
        this.server = server;
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    private static HttpServer http() {
        try {
            return HttpServer.create(loopback(), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HttpServer https(SSLContext tls) throws IOException {
        HttpsServer server = HttpsServer.create(loopback(), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        return server;
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    public URI uri() {
        String scheme = server instanceof HttpsServer ? "https" : "http";
        return URI.create(scheme + "://localhost:" + server.getAddress().getPort());
    }

    /** Begins a client of this registry that keeps its identity in {@code device.json}. */
    DeviceClient.Builder device(Path directory, FakeTime time) {
        return DeviceClient.builder()
                .registry(uri())
                .serial("SN-0007")
                .store(directory.resolve("device.json"))
                .waiting(time);
    }

    public synchronized ScriptedRegistry then(Answer answer) {
        script.add(answer);
        return this;
    }

    public ScriptedRegistry then(int status, String type, String body, String... headers) {
        return then(exchange -> {
            exchange.getResponseHeaders().set("Content-Type", type);
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        });
    }

    public ScriptedRegistry thenReceipt() {
        return then(200, "application/json", RECEIPT);
    }

    public ScriptedRegistry thenToken(String token, long seconds) {
        return then(
                200,
                "application/json",
                "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%d}".formatted(token, seconds));
    }

    public ScriptedRegistry thenStatus(int status, String... headers) {
        return then(status, "text/plain", "", headers);
    }

    List<Request> requests() {
        return requests;
    }

    public List<String> bodies() {
        return requests.stream().map(Request::body).toList();
    }

    private synchronized Answer next() {
        // A refusal, because a client that asks too often must not be told to retry: the test would never end.
        return script.isEmpty() ? exchange -> exchange.sendResponseHeaders(410, -1) : script.remove();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            requests.add(new Request(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().getRawPath(),
                    Map.copyOf(exchange.getRequestHeaders()),
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
            next().to(exchange);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
