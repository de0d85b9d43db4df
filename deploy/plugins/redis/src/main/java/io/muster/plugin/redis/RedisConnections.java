// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionFactory;
import redis.clients.jedis.ConnectionPool;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** Connections to one Redis, made when a question needs one and kept for the next. Thread-safe. */
final class RedisConnections implements AutoCloseable {

    private static final Pattern ERROR_CODE = Pattern.compile("[A-Z]{2,20}\\b");

    private final RedisSettings.Server server;
    private final ConnectionPool pool;

    RedisConnections(RedisSettings.Server server) {
        this.server = server;
        GenericObjectPoolConfig<Connection> config = new GenericObjectPoolConfig<>();
        config.setMaxTotal(server.poolSize());
        config.setMaxIdle(server.poolSize());
        // The process has one JMX server for all applications, and nothing cleans up in it.
        config.setJmxEnabled(false);
        DefaultJedisClientConfig.Builder client = DefaultJedisClientConfig.builder()
                .database(server.database())
                // Without HELLO, which proxies may not know and limited users may not send.
                .serverDefaultProtocol()
                // It would need a separate right where users are limited.
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED);
        server.password().ifPresent(client::password);
        server.user().ifPresent(client::user);
        this.pool = new ConnectionPool(new ConnectionFactory(this::connect, client.build()), config);
    }

    /**
     * Asks a question. If the connection is broken, asks once more on another one: Redis may have been restarted since.
     *
     * @param question sends commands that change nothing
     * @throws VerificationUnavailableException if there is no answer in time, or it makes no sense
     */
    <T> T ask(Function<Connection, T> question) {
        Deadline deadline = Deadline.begin(server.timeout());
        try {
            try {
                return attempt(question, deadline);
            } catch (JedisConnectionException e) {
                if (deadline.left().isZero()) {
                    throw e;
                }
                pool.clear();
                return attempt(question, deadline);
            }
        } catch (RuntimeException e) {
            throw unavailable(e);
        } finally {
            Deadline.end();
        }
    }

    private <T> T attempt(Function<Connection, T> question, Deadline deadline) {
        Connection connection;
        try {
            connection = pool.borrowObject(deadline.left());
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        boolean answered = false;
        try {
            T answer = question.apply(connection);
            answered = true;
            return answer;
        } finally {
            if (answered) {
                pool.returnResource(connection);
            } else {
                // It may contain a part of an answer, which would answer the next question.
                pool.returnBrokenResource(connection);
            }
        }
    }

    private Socket connect() {
        DeadlineSocket socket = new DeadlineSocket();
        try {
            socket.setTcpNoDelay(true);
            socket.setKeepAlive(true);
            InetAddress address = InetAddress.getByName(server.host());
            int limit = (int) Math.min(server.connectTimeout().toMillis(), Deadline.millisLeft());
            socket.connect(new InetSocketAddress(address, server.port()), limit);
            return new GuardedSocket(server.tls().isPresent() ? tls(socket) : socket);
        } catch (IOException e) {
            close(socket);
            throw new JedisConnectionException(e);
        }
    }

    private Socket tls(DeadlineSocket socket) throws IOException {
        SSLSocket tls = (SSLSocket)
                server.tls().orElseThrow().getSocketFactory().createSocket(socket, server.host(), server.port(), true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        return tls;
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is given up anyway.
        }
    }

    /** Describes the failure. Does not repeat the server's text, which may contain the serial. */
    private VerificationUnavailableException unavailable(RuntimeException e) {
        String where = "redis " + server.host() + ":" + server.port() + " ";
        if (e instanceof NoSuchElementException) {
            return new VerificationUnavailableException(
                    where + "has no connection free within " + server.timeout() + "; see pool-size");
        }
        if (e instanceof JedisDataException) {
            Matcher code = ERROR_CODE.matcher(String.valueOf(e.getMessage()));
            return new VerificationUnavailableException(
                    where + "answered with an error" + (code.lookingAt() ? ", " + code.group() : ""));
        }
        Throwable cause = e;
        while (cause.getCause() != null && !(cause instanceof IOException)) {
            cause = cause.getCause();
        }
        if (cause instanceof UnknownHostException) {
            return new VerificationUnavailableException(where + "has no address");
        }
        if (cause instanceof IOException) {
            return new VerificationUnavailableException(where + "failed: " + cause.getMessage() + " ("
                    + cause.getClass().getSimpleName() + ")");
        }
        return new VerificationUnavailableException(
                where + "failed with " + e.getClass().getSimpleName());
    }

    @Override
    public void close() {
        pool.close();
    }
}
