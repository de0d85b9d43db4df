// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Many connections at once, from one thread, whose client is slow. Each sends its start at once, and the rest byte by
 * byte. Or it sends requests for as long as the server accepts them, and reads no answer.
 */
final class SlowClients implements AutoCloseable {

    /** How long a connection waits between two bytes. */
    private static final Duration BETWEEN_BYTES = Duration.ofSeconds(1);

    private static final int LEAST_BUFFER = 4096;

    private final Selector selector;
    private final List<Connection> connections = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "slow-clients");
    private volatile boolean closed;

    /** The bytes of one connection: a start, and then either bytes one by one, or the same requests repeatedly. */
    private record Manner(byte[] atOnce, byte[] trickled, boolean reads) {}

    private static final class Connection {

        private final SocketChannel channel;
        private final Manner manner;
        private final long opened = System.nanoTime();
        private volatile String answer = "";
        private ByteBuffer toSend;
        private int trickled;
        private long nextByte;
        private volatile long cut;

        private Connection(SocketChannel channel, Manner manner) {
            this.channel = channel;
            this.manner = manner;
            this.toSend = ByteBuffer.wrap(manner.atOnce());
        }
    }

    private SlowClients(URI base, int count, Manner manner) {
        try {
            selector = Selector.open();
            for (int i = 0; i < count; i++) {
                SocketChannel channel = SocketChannel.open();
                if (!manner.reads()) {
                    channel.setOption(StandardSocketOptions.SO_RCVBUF, LEAST_BUFFER);
                }
                channel.connect(new InetSocketAddress(base.getHost(), base.getPort()));
                channel.configureBlocking(false);
                Connection connection = new Connection(channel, manner);
                connections.add(connection);
                channel.register(selector, SelectionKey.OP_WRITE, connection);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        thread.start();
    }

    /** Sends the head of a request with a declared length, and its body slowly. */
    static SlowClients declared(URI base, int count, String target, String type, String... headers) {
        String head = head(target, type, headers) + "Content-Length: 2000\r\n\r\n";
        return new SlowClients(base, count, new Manner(ascii(head + "{\"a"), ascii("x".repeat(1997)), true));
    }

    /** Sends the head of a request, and its body slowly in chunks of one byte. */
    static SlowClients chunked(URI base, int count, String target, String type, String... headers) {
        String head = head(target, type, headers) + "Transfer-Encoding: chunked\r\n\r\n";
        return new SlowClients(base, count, new Manner(ascii(head), ascii("1\r\nx\r\n".repeat(400)), true));
    }

    /** Sends the head of a request slowly. */
    static SlowClients headers(URI base, int count, String target) {
        return new SlowClients(
                base,
                count,
                new Manner(
                        ascii("POST " + target + " HTTP/1.1\r\nHost: muster\r\n"),
                        ascii("X: y\r\n".repeat(400)),
                        true));
    }

    /** Sends requests for as long as the server accepts them, and reads none of the answers. */
    static SlowClients unread(URI base, int count, byte[] request) {
        byte[] many = new byte[request.length * Math.max(1, 16_384 / request.length)];
        for (int i = 0; i < many.length; i += request.length) {
            System.arraycopy(request, 0, many, i, request.length);
        }
        return new SlowClients(base, count, new Manner(many, new byte[0], false));
    }

    private static String head(String target, String type, String... headers) {
        StringBuilder head =
                new StringBuilder("POST " + target + " HTTP/1.1\r\nHost: muster\r\nContent-Type: " + type + "\r\n");
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        return head.toString();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private void run() {
        try {
            while (!closed) {
                selector.select(100);
                for (SelectionKey key : selector.selectedKeys()) {
                    serve(key);
                }
                selector.selectedKeys().clear();
                trickle();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void serve(SelectionKey key) {
        Connection connection = (Connection) key.attachment();
        try {
            if (key.isReadable() && !read(connection)) {
                cut(key, connection);
                return;
            }
            if (key.isWritable()) {
                connection.channel.write(connection.toSend);
                if (!connection.toSend.hasRemaining()) {
                    if (connection.manner.reads()) {
                        key.interestOps(SelectionKey.OP_READ);
                    } else {
                        connection.toSend.rewind();
                    }
                }
            }
        } catch (IOException | CancelledKeyException gone) {
            cut(key, connection);
        }
    }

    /** Only this thread writes; tests read. */
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private static boolean read(Connection connection) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(LEAST_BUFFER);
        int n = connection.channel.read(buffer);
        if (n > 0) {
            connection.answer += new String(buffer.array(), 0, n, StandardCharsets.ISO_8859_1);
        }
        return n >= 0;
    }

    private void trickle() {
        long now = System.nanoTime();
        for (SelectionKey key : selector.keys()) {
            Connection connection = (Connection) key.attachment();
            if (!key.isValid()
                    || connection.trickled >= connection.manner.trickled().length
                    || now < connection.nextByte) {
                continue;
            }
            connection.nextByte = now + BETWEEN_BYTES.toNanos();
            try {
                connection.channel.write(ByteBuffer.wrap(connection.manner.trickled(), connection.trickled, 1));
                connection.trickled++;
            } catch (IOException gone) {
                cut(key, connection);
            }
        }
    }

    private static void cut(SelectionKey key, Connection connection) {
        connection.cut = System.nanoTime();
        key.cancel();
        try {
            connection.channel.close();
        } catch (IOException e) {
            // it is gone either way
        }
    }

    /** How many connections the server has not closed. */
    int open() {
        return (int)
                connections.stream().filter(connection -> connection.cut == 0).count();
    }

    /** How long the connections that the server closed had been open. */
    List<Duration> lived() {
        return connections.stream()
                .filter(connection -> connection.cut != 0)
                .map(connection -> Duration.ofNanos(connection.cut - connection.opened))
                .sorted()
                .toList();
    }

    /** On how many connections the server's first word was this status. */
    int answered(int status) {
        return (int) connections.stream()
                .filter(connection -> connection.answer.startsWith("HTTP/1.1 " + status + " "))
                .count();
    }

    /** Leaves, as a process that is killed does. */
    @Override
    public void close() {
        closed = true;
        selector.wakeup();
        try {
            thread.join();
            for (Connection connection : connections) {
                connection.channel.close();
            }
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
