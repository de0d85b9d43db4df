// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;

/** A server that accepts every connection and never answers. */
final class SilentServer implements AutoCloseable {

    /** More than any verifier asks at once. The other side has given up the older ones. */
    private static final int KEPT = 200;

    private final ServerSocket socket = new ServerSocket(0, KEPT, InetAddress.getLoopbackAddress());
    private final AtomicLong accepted = new AtomicLong();

    SilentServer() throws IOException {
        Thread accepting = new Thread(this::accept, "silent-server");
        accepting.setDaemon(true);
        accepting.start();
    }

    private void accept() {
        Deque<Socket> kept = new ArrayDeque<>();
        try {
            while (true) {
                kept.add(socket.accept());
                accepted.incrementAndGet();
                if (kept.size() > KEPT) {
                    kept.remove().close();
                }
            }
        } catch (IOException closed) {
            // so are the connections, when the driver ends
        }
    }

    int port() {
        return socket.getLocalPort();
    }

    /** Returns the number of connections so far. */
    long accepted() {
        return accepted.get();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
