// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The systems that a registry asks and tells: a manufacturer's API that knows every serial, and a broker. Both can be
 * made to hang or to fail. Thread-safe.
 */
final class Outside implements AutoCloseable {

    /** How a system answers. */
    enum Mood {
        WELL,
        HANGING,
        FAILING
    }

    private static final long HANG_SECONDS = 8;

    private final HttpServer server;
    private final Set<String> told = ConcurrentHashMap.newKeySet();
    private volatile Mood verifier = Mood.WELL;
    private volatile Mood broker = Mood.WELL;

    Outside() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "outside");
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/units/", exchange -> {
            String serial = last(exchange);
            answer(exchange, verifier, 200, "{\"serial\":\"" + serial + "\",\"genuine\":true}");
        });
        server.createContext("/clients/", exchange -> {
            if (answer(exchange, broker, 404, "{}")) {
                told.add(last(exchange));
            }
        });
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    void verifier(Mood mood) {
        verifier = mood;
    }

    void broker(Mood mood) {
        broker = mood;
    }

    /** The ids of all devices that the broker was told to disconnect. */
    Set<String> told() {
        return told;
    }

    private static String last(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static boolean answer(HttpExchange exchange, Mood mood, int status, String json) throws IOException {
        try (exchange) {
            if (mood == Mood.HANGING) {
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(HANG_SECONDS));
                return false;
            }
            byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(mood == Mood.WELL ? status : 500, bytes.length);
            exchange.getResponseBody().write(bytes);
            return mood == Mood.WELL;
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
