// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Stands before a server and passes messages on, but answers something else where a test demands it. */
final class MongoProxy implements AutoCloseable {

    /** Answers in place of the server. */
    interface Script {
        void answer(Line line, byte[] question, byte[] reply) throws IOException, InterruptedException;
    }

    /** The client's side of a connection. */
    record Line(Socket socket, OutputStream out, CountDownLatch ended) {

        void say(byte[] bytes) throws IOException {
            out.write(bytes);
            out.flush();
        }

        /** Waits; returns true if the proxy ends meanwhile. */
        boolean pause(long millis) throws InterruptedException {
            return ended.await(millis, TimeUnit.MILLISECONDS);
        }
    }

    static final Script PASSES_ON = (line, question, reply) -> line.say(reply);

    private final ServerSocket front;
    private final int back;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Script script = PASSES_ON;

    MongoProxy(int back) throws IOException {
        this.back = back;
        this.front = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(() -> {
            while (!front.isClosed()) {
                Socket client = front.accept();
                sockets.add(client);
                daemon(() -> serve(client));
            }
        });
    }

    /** Answers every question so. */
    void nowAnswers(Script other) {
        script = other;
    }

    /** Answers the verifier's questions so, and the driver's own as they are. */
    void nowAnswersFinds(Script other) {
        script = (line, question, reply) -> (isFind(question) ? other : PASSES_ON).answer(line, question, reply);
    }

    private static boolean isFind(byte[] question) {
        return new String(question, StandardCharsets.ISO_8859_1).contains("find\u0000");
    }

    int port() {
        return front.getLocalPort();
    }

    private void serve(Socket client) throws IOException {
        try (client;
                Socket server = new Socket(InetAddress.getLoopbackAddress(), back)) {
            sockets.add(server);
            Line line = new Line(client, client.getOutputStream(), ended);
            while (!client.isClosed()) {
                byte[] question = message(client);
                server.getOutputStream().write(question);
                script.answer(line, question, message(server));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] message(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] head = in.readNBytes(4);
        if (head.length < 4) {
            throw new IOException("the end");
        }
        int length = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt();
        ByteBuffer message = ByteBuffer.allocate(length);
        message.put(head).put(in.readNBytes(length - 4));
        return message.array();
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (IOException e) {
                // somebody has gone
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        ended.countDown();
        front.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
