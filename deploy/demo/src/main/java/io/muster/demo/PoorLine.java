// SPDX-License-Identifier: Apache-2.0
package io.muster.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The line of one device to the registry. It loses the first reply to a registration, after the registry has sent it.
 */
final class PoorLine implements AutoCloseable {

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final URI registry;
    private final HttpServer line;
    private final AtomicInteger registrations = new AtomicInteger();

    PoorLine(URI registry) throws IOException {
        this.registry = registry;
        this.line = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        line.createContext("/", this::passOn);
        line.start();
    }

    /** Returns the address that the device takes for the registry's. */
    URI address() {
        return URI.create("http://127.0.0.1:" + line.getAddress().getPort());
    }

    /** Returns how often the registry has answered a registration over this line. */
    int registrations() {
        return registrations.get();
    }

    private void passOn(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().toString();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(registry + path))
                .method(
                        exchange.getRequestMethod(),
                        BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
        for (String header : List.of("Content-Type", "Authorization")) {
            String value = exchange.getRequestHeaders().getFirst(header);
            if (value != null) {
                request.header(header, value);
            }
        }
        try (exchange) {
            HttpResponse<byte[]> reply = HTTP.send(request.build(), BodyHandlers.ofByteArray());
            if (path.equals("/register") && registrations.incrementAndGet() == 1) {
                return;
            }
            reply.headers().firstValue("Content-Type").ifPresent(type -> exchange.getResponseHeaders()
                    .set("Content-Type", type));
            exchange.sendResponseHeaders(reply.statusCode(), reply.body().length == 0 ? -1 : reply.body().length);
            exchange.getResponseBody().write(reply.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        line.stop(0);
    }
}
