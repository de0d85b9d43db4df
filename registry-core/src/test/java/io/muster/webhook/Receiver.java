// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToIntFunction;

/** A receiver of webhooks on the loopback address, good or bad by its path. */
public final class Receiver implements AutoCloseable {

    /** A request to a path. */
    public record Message(String path, String id, long timestamp, List<String> signatures, String body) {}

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch end = new CountDownLatch(1);
    private final List<Message> messages = new CopyOnWriteArrayList<>();
    private volatile ToIntFunction<Message> answer = message -> 200;

    public Receiver() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/good", exchange -> answer(exchange, answer.applyAsInt(heard(exchange))));
        server.createContext("/gone", exchange -> {
            heard(exchange);
            answer(exchange, 410);
        });
        server.createContext("/redirecting", exchange -> {
            heard(exchange);
            exchange.getResponseHeaders().set("Location", url("/good"));
            answer(exchange, 307);
        });
        server.createContext("/hanging", exchange -> {
            heard(exchange);
            try {
                end.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.createContext("/endless", this::answerWithoutEnd);
        server.start();
    }

    private Message heard(HttpExchange exchange) throws IOException {
        Message message = new Message(
                exchange.getRequestURI().getPath(),
                exchange.getRequestHeaders().getFirst("webhook-id"),
                Long.parseLong(exchange.getRequestHeaders().getFirst("webhook-timestamp")),
                List.of(exchange.getRequestHeaders()
                        .getFirst("webhook-signature")
                        .split(" ")),
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        messages.add(message);
        return message;
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    /** Answers 200 MB, unless the other side ends the connection. */
    private void answerWithoutEnd(HttpExchange exchange) throws IOException {
        heard(exchange);
        exchange.sendResponseHeaders(200, 0);
        byte[] piece = new byte[64 * 1024];
        try (OutputStream out = exchange.getResponseBody()) {
            for (int i = 0; i < 3200; i++) {
                out.write(piece);
            }
        } catch (IOException e) {
            // That is what the registry should do.
        }
    }

    /** Returns the host and port for {@code muster.webhooks.private-hosts}. */
    public String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    public String url(String path) {
        return "http://" + host() + path;
    }

    /** Sets the status with which {@code /good} answers. */
    public void answers(ToIntFunction<Message> status) {
        answer = status;
    }

    /** Returns the requests to a path so far. */
    public List<Message> messages(String path) {
        return messages.stream().filter(message -> message.path().equals(path)).toList();
    }

    @Override
    public void close() {
        end.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
