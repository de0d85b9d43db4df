// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads each request, sends the bytes that it was given, and closes the connection, whether the reply is complete or
 * not.
 */
final class BreakingServer implements AutoCloseable {

    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)\r\n");

    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Queue<String> replies;

    BreakingServer(String... replies) throws IOException {
        this.replies = new ConcurrentLinkedQueue<>(List.of(replies));
        Thread thread = new Thread(this::serve, "breaking-server");
        thread.setDaemon(true);
        thread.start();
    }

    URI uri() {
        return URI.create("http://localhost:" + socket.getLocalPort());
    }

    Queue<String> unsent() {
        return replies;
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket connection = socket.accept()) {
                StringBuilder head = new StringBuilder();
                while (head.indexOf("\r\n\r\n") < 0) {
                    int next = connection.getInputStream().read();
                    if (next < 0) {
                        break;
                    }
                    head.append((char) next);
                }
                Matcher length = LENGTH.matcher(head);
                connection.getInputStream().readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
                connection.getOutputStream().write(replies.remove().getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // closed, by either side
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
