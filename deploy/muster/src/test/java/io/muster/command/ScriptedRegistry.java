// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Answers requests as told, in turn, and keeps them. The last answer stays. */
final class ScriptedRegistry implements AutoCloseable {

    private record Answer(int status, String body, String[] headers) {}

    /** A request that came. */
    record Asked(String request, String body, String authorization, String ifMatch, String type) {}

    private final HttpServer server;
    private final Deque<Answer> answers = new ArrayDeque<>();
    private final List<Asked> asked = new ArrayList<>();

    ScriptedRegistry() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::answer);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    ScriptedRegistry says(int status, String body, String... headers) {
        answers.add(new Answer(status, body, headers));
        return this;
    }

    List<Asked> asked() {
        return asked;
    }

    List<String> requests() {
        return asked.stream().map(Asked::request).toList();
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        asked.add(new Asked(
                exchange.getRequestMethod() + " " + exchange.getRequestURI(),
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestHeaders().getFirst("If-Match"),
                exchange.getRequestHeaders().getFirst("Content-Type")));
        Answer next = answers.size() > 1 ? answers.poll() : answers.peek();
        for (int i = 0; i < next.headers().length; i += 2) {
            exchange.getResponseHeaders().set(next.headers()[i], next.headers()[i + 1]);
        }
        byte[] body = next.body().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(next.status(), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
