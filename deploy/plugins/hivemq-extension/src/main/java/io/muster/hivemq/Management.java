// SPDX-License-Identifier: Apache-2.0
package io.muster.hivemq;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives the registry's orders to disconnect: {@code DELETE /clients/<id>} or {@code /users/<name>}, with HTTP Basic.
 * Thread-safe.
 */
final class Management implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Management.class);
    private static final Pattern CLIENT = Pattern.compile("/clients/([A-Za-z0-9]{1,128})");
    private static final Pattern USER = Pattern.compile("/users/([^/]{1,128})");

    private static final int THREADS = 8;

    private final HttpServer server;
    private final byte[] authorization;
    private final Broker broker;
    // Not HiveMQ's threads for extensions: they complete the futures that these threads wait for.
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    /** Disconnects clients. */
    interface Broker {

        /**
         * Ends a client's connection, if it has one, and returns when it is closed.
         *
         * @param session whether its stored session ends too
         * @throws Exception if it may still be open
         */
        void disconnect(String clientId, boolean session) throws Exception;

        /**
         * Ends all connections with a user name and their stored sessions, and returns when they are closed.
         *
         * @throws Exception if one may still be open
         */
        void disconnectUser(String user) throws Exception;
    }

    /** Listens at once. */
    Management(Configuration configuration, Broker broker) throws IOException {
        this.broker = broker;
        this.authorization = ("Basic "
                        + Base64.getEncoder()
                                .encodeToString(
                                        (configuration.managementUser() + ":" + configuration.managementPassword())
                                                .getBytes(StandardCharsets.UTF_8)))
                .getBytes(StandardCharsets.UTF_8);
        this.server = HttpServer.create(
                new InetSocketAddress(configuration.managementAddress(), configuration.managementPort()), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status(exchange), -1);
        }
    }

    private int status(HttpExchange exchange) {
        String given = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
        if (!MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), authorization)) {
            return 401;
        }
        Matcher client = CLIENT.matcher(exchange.getRequestURI().getPath());
        Matcher user = USER.matcher(exchange.getRequestURI().getPath());
        if (!client.matches() && !user.matches()) {
            return 404;
        }
        if (!exchange.getRequestMethod().equals("DELETE")) {
            return 405;
        }
        try {
            if (user.matches()) {
                broker.disconnectUser(user.group(1));
            } else {
                broker.disconnect(
                        client.group(1),
                        "session=end".equals(exchange.getRequestURI().getQuery()));
            }
            return 204;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 503;
        } catch (Exception e) {
            LOG.warn(
                    "A client could not be disconnected. The registry tells the broker again: {}",
                    String.valueOf(e.getCause() == null ? e : e.getCause()));
            return 503;
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
