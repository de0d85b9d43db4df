// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A server on a port of its own that answers with the exact bytes that a test prescribes, one question to a connection.
 */
final class HttpWire implements AutoCloseable {

    /** The answer to one question. The connection is closed afterwards. */
    interface Script {
        void answer(Connection connection) throws IOException, InterruptedException;
    }

    /** A question as it arrived. */
    record Question(String line, Map<String, String> headers, String body) {}

    private final ServerSocket server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Question> questions = new CopyOnWriteArrayList<>();
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicLong written = new AtomicLong();
    private final AtomicInteger ended = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Script script;

    HttpWire(Script script) throws IOException {
        this.script = script;
        this.server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    /** A port on which nobody listens. */
    static int deadPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** A reply with everything in its place. */
    static Script says(int status, String contentType, String body) {
        return connection -> connection.write(reply(status, "Content-Type: " + contentType + "\r\n", body));
    }

    /** A complete reply with a body of known length. */
    static String reply(int status, String headers, String body) {
        return "HTTP/1.1 " + status + " Whatever\r\n" + headers + "Content-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\nConnection: close\r\n\r\n" + body;
    }

    void nowAnswers(Script other) {
        script = other;
    }

    int port() {
        return server.getLocalPort();
    }

    String url(String path) {
        return "http://127.0.0.1:" + port() + path;
    }

    List<Question> questions() {
        return List.copyOf(questions);
    }

    int connections() {
        return connections.get();
    }

    long written() {
        return written.get();
    }

    /** Waits until every connection so far has ended, on either side. */
    boolean allEnded() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        synchronized (ended) {
            while (ended.get() < connections.get()) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0) {
                    return false;
                }
                ended.wait(left);
            }
        }
        return true;
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                connections.incrementAndGet();
                sockets.add(socket);
                threads.execute(() -> serve(socket));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            Connection connection = new Connection(socket);
            questions.add(connection.readQuestion());
            script.answer(connection);
        } catch (IOException e) {
            // the verifier hung up, which is its right
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            synchronized (ended) {
                ended.incrementAndGet();
                ended.notifyAll();
            }
        }
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
        threads.shutdownNow();
    }

    /** One connection, after its question was read. */
    final class Connection {

        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;
        private Question question;

        Connection(Socket socket) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
            this.out = socket.getOutputStream();
        }

        Question question() {
            return question;
        }

        void write(String text) throws IOException {
            write(text.getBytes(StandardCharsets.UTF_8));
        }

        void write(byte[] bytes) throws IOException {
            out.write(bytes);
            out.flush();
            written.addAndGet(bytes.length);
        }

        /** Writes one byte at a time, with a pause after each, until the verifier closes the connection. */
        void trickle(String text) throws IOException, InterruptedException {
            for (int i = 0; !closed.await(50, TimeUnit.MILLISECONDS); i++) {
                write(text.substring(i % text.length(), i % text.length() + 1));
            }
        }

        /** Keeps quiet until the verifier hangs up. */
        void keepQuiet() throws IOException {
            while (in.read() >= 0) {
                // whatever it still has to say
            }
        }

        /** Ends the connection the hard way. */
        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        private Question readQuestion() throws IOException {
            String line = readLine();
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (String header = readLine(); !header.isEmpty(); header = readLine()) {
                int colon = header.indexOf(':');
                if (colon < 0) {
                    throw new ProtocolException("not HTTP");
                }
                headers.put(
                        header.substring(0, colon), header.substring(colon + 1).strip());
            }
            int length = Integer.parseInt(headers.getOrDefault("Content-Length", "0"));
            question = new Question(line, headers, new String(in.readNBytes(length), StandardCharsets.UTF_8));
            return question;
        }

        private String readLine() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) {
                    throw new EOFException();
                }
                line.write(b);
            }
            return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
        }
    }
}
