package io.muster.suite;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A manufacturer's API, and one that has every illness: {@code GET /units/{serial}}. The first four characters of the serial say
 * how it behaves.
 */
final class VerifierStub {

    private static final int MOST_PATIENT_TEST_SECONDS = 20;

    private final HttpServer server;
    private final AtomicInteger asked = new AtomicInteger();

    VerifierStub() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "verifier-stub");
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/units/", this::answer);
        server.createContext("/keys", exchange -> {
            asked.incrementAndGet();
            reply(exchange, 200, "application/json", "{\"keys\":[]}");
        });
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** How many questions came so far. */
    int asked() {
        return asked.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.incrementAndGet();
        String serial = exchange.getRequestURI().getPath().substring("/units/".length());
        String good = "{\"serial\":\"" + serial + "\",\"genuine\":true}";
        String json = "application/json";
        switch (serial.substring(0, 4)) {
            case "GOOD" -> reply(exchange, 200, json, good);
            case "UNKN" -> reply(exchange, 404, json, "{}");
            case "REFU" -> reply(exchange, 403, json, "{}");
            case "FALS" -> reply(exchange, 200, json, good.replace("true", "false"));
            case "TEXT" -> reply(exchange, 200, json, good.replace("true", "\"true\""));
            case "ONE-" -> reply(exchange, 200, json, good.replace("true", "1"));
            case "OTHR" -> reply(exchange, 200, json, good.replace(serial, serial + "x"));
            case "NONE" -> reply(exchange, 200, json, "{\"serial\":\"" + serial + "\"}");
            case "TWIC" -> reply(exchange, 200, json, good.replace("}", ",\"genuine\":true}"));
            case "TAIL" -> reply(exchange, 200, json, good + " true");
            case "HALF" -> reply(exchange, 200, json, good.substring(0, good.length() - 3));
            case "HTML" -> reply(exchange, 200, "text/html", "<html>" + good + "</html>");
            case "VOID" -> reply(exchange, 200, json, "");
            case "HUGE" -> reply(exchange, 200, json, good + " ".repeat(100_000));
            case "E500" -> reply(exchange, 500, json, good);
            case "E401" -> reply(exchange, 401, json, good);
            case "MOVE" -> {
                exchange.getResponseHeaders().add("Location", "/units/GOOD-" + serial);
                reply(exchange, 302, json, good);
            }
            case "DROP" -> exchange.close();
            default -> hang();
        }
    }

    /** Longer than any verifier may take. */
    private static void hang() {
        try {
            new CountDownLatch(1).await(MOST_PATIENT_TEST_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void reply(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
