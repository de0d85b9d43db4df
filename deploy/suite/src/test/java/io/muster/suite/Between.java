package io.muster.suite;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Stands between a broker and the registry that it asks, and hands on what both say, or not. */
final class Between implements AutoCloseable {

    private final URI registry;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private volatile Mood mood = Mood.FAITHFUL;
    private volatile CountDownLatch silence = new CountDownLatch(1);

    /** What becomes of a question. */
    enum Mood {
        /** It is answered by the registry. */
        FAITHFUL,
        /** It is answered with 500, and a body that would mean yes to some. */
        BROKEN,
        /** It is answered with a page that says something else altogether. */
        STRANGE,
        /** It is not answered until the mood changes. */
        SILENT
    }

    Between(URI registry) {
        this.registry = registry;
        try {
            this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    void is(Mood next) {
        mood = next;
        silence.countDown();
        silence = new CountDownLatch(1);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] question = exchange.getRequestBody().readAllBytes();
            switch (mood) {
                case FAITHFUL -> handOn(exchange, question);
                case BROKEN -> answer(exchange, 500, "allow".getBytes());
                case STRANGE -> answer(exchange, 200, "<html>allow</html>".getBytes());
                case SILENT -> silence.await();
                default -> throw new IllegalStateException("no such mood");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void handOn(HttpExchange exchange, byte[] question) throws IOException, InterruptedException {
        try {
            HttpResponse<byte[]> answer = client.send(
                    HttpRequest.newBuilder(
                                    registry.resolve(exchange.getRequestURI().toString()))
                            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(question))
                            .header("Content-Type", exchange.getRequestHeaders().getFirst("Content-Type"))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            answer(exchange, answer.statusCode(), answer.body());
        } catch (IOException e) {
            answer(exchange, 502, new byte[0]);
        }
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        is(Mood.BROKEN);
        server.stop(0);
        threads.shutdownNow();
    }
}
