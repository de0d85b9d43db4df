// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A server that answers every question with the exact bytes that a test prescribes. */
final class ScriptedServer implements AutoCloseable {

    /** Acts on a connection after a question. The connection stays open unless the script closes it. */
    interface Script {
        void answer(Line line) throws IOException, InterruptedException;
    }

    /** A connection. */
    record Line(Socket socket, InputStream in, OutputStream out, CountDownLatch ended) {

        void say(String text) throws IOException {
            out.write(text.getBytes(StandardCharsets.ISO_8859_1));
            out.flush();
        }

        void close() throws IOException {
            socket.close();
        }

        /** Waits; returns true if the server ends meanwhile. */
        boolean pause(long millis) throws InterruptedException {
            return ended.await(millis, TimeUnit.MILLISECONDS);
        }
    }

    private final ServerSocket server;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Script script;

    ScriptedServer(Script script) throws IOException {
        this.script = script;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    static Script says(String text) {
        return line -> line.say(text);
    }

    void nowAnswers(Script other) {
        script = other;
    }

    int port() {
        return server.getLocalPort();
    }

    int connections() {
        return sockets.size();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                sockets.add(socket);
                daemon(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            Line line = new Line(socket, socket.getInputStream(), socket.getOutputStream(), ended);
            byte[] question = new byte[64 * 1024];
            while (!socket.isClosed() && line.in().read(question) >= 0) {
                script.answer(line);
            }
        } catch (IOException e) {
            // the client has gone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "scripted-server");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        ended.countDown();
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
