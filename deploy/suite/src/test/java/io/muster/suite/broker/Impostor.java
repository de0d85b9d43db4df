// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers a broker's questions in place of a registry that is gone, and always wrongly. */
final class Impostor implements AutoCloseable {

    private final Answer answer;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final AtomicInteger questions = new AtomicInteger();

    /** Its answer to every question. */
    enum Answer {
        /** 500, and a body that would mean yes to some. */
        ERROR,
        /** A page that says something else altogether. */
        NONSENSE,
        /** Nothing. */
        SILENCE
    }

    /** Answers at this port of the loopback address. */
    Impostor(int port, Answer answer) {
        this.answer = answer;
        try {
            this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /** How many questions it was asked. */
    int questions() {
        return questions.get();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            questions.incrementAndGet();
            switch (answer) {
                case ERROR -> answer(exchange, 500, "allow");
                case NONSENSE -> answer(exchange, 200, "<html>allow</html>");
                default -> closed.await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        exchange.sendResponseHeaders(status, body.length());
        exchange.getResponseBody().write(body.getBytes(UTF_8));
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
