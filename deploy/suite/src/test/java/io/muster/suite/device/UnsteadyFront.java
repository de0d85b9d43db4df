// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/** Stands before a registry, answers the first registration with 503, and passes everything else on. */
final class UnsteadyFront implements AutoCloseable {

    /** How long the first registration is told to wait. */
    static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(2);
    private final RegistryUnderTest registry;
    private final List<Long> registrations = Collections.synchronizedList(new ArrayList<>());
    private volatile String typeOfReceipt = "";

    UnsteadyFront(RegistryUnderTest registry) {
        this.registry = registry;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    /** Its address, without a slash at the end. */
    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** When each registration came, by {@link System#nanoTime}. */
    List<Long> registrations() {
        return List.copyOf(registrations);
    }

    /** The content type of the last reply to a registration. */
    String typeOfReceipt() {
        return typeOfReceipt;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            boolean registration = exchange.getRequestURI().getPath().equals("/register");
            if (registration) {
                registrations.add(System.nanoTime());
                if (registrations.size() == 1) {
                    exchange.getResponseHeaders().set("Retry-After", Long.toString(RETRY_AFTER.toSeconds()));
                    exchange.sendResponseHeaders(503, -1);
                    return;
                }
            }
            Reply reply = registry.send(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().getPath().substring(1),
                    body.length == 0 ? null : body,
                    passed(exchange.getRequestHeaders()));
            if (registration) {
                typeOfReceipt = reply.type();
            }
            reply.header("Content-Type")
                    .ifPresent(type -> exchange.getResponseHeaders().set("Content-Type", type));
            exchange.sendResponseHeaders(reply.status(), reply.body().length == 0 ? -1 : reply.body().length);
            exchange.getResponseBody().write(reply.body());
        }
    }

    private static String[] passed(Headers headers) {
        return headers.entrySet().stream()
                .filter(header -> List.of("Authorization", "Content-type").contains(header.getKey()))
                .map(Map.Entry::getKey)
                .flatMap(name -> Stream.of(name, headers.getFirst(name)))
                .toArray(String[]::new);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
