package io.muster.suite;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One connection on which a test writes what it likes, byte by byte; for what a proper HTTP client would not send. */
final class RawHttp implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 30_000;

    private final Socket socket;

    RawHttp(URI base) throws IOException {
        socket = new Socket();
        // Small, so that what was written is about what the server has read.
        socket.setSendBufferSize(16 * 1024);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(new java.net.InetSocketAddress(base.getHost(), base.getPort()), PATIENCE_MILLIS);
    }

    /** Sends one request as it stands and returns the reply. */
    static Reply exchange(URI base, byte[] request) throws IOException {
        try (RawHttp http = new RawHttp(base)) {
            http.write(request);
            return http.reply(false);
        }
    }

    /** Sends a request line with a host and, for a body, type and length; the connection closes afterwards. */
    static Reply exchange(URI base, String method, String target, String type, String body) throws IOException {
        return exchange(base, request(method, target, type, body.getBytes(StandardCharsets.UTF_8)));
    }

    static byte[] request(String method, String target, String type, byte[] body, String... headers) {
        StringBuilder head =
                new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n");
        if (type != null) {
            head.append("Content-Type: ").append(type).append("\r\n");
        }
        if (body.length > 0 || type != null) {
            head.append("Content-Length: ").append(body.length).append("\r\n");
        }
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
        byte[] whole = java.util.Arrays.copyOf(start, start.length + body.length);
        System.arraycopy(body, 0, whole, start.length, body.length);
        return whole;
    }

    void write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** Sends nothing more. */
    void end() throws IOException {
        socket.shutdownOutput();
    }

    /** Waits until the server closes the connection, whatever it says before. */
    void drain() throws IOException {
        try {
            socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        } catch (SocketException reset) {
            // closed it is
        }
    }

    /** Reads one reply; to HEAD there is no body whatever the headers say. */
    Reply reply(boolean toHead) throws IOException {
        InputStream in = socket.getInputStream();
        String[] statusLine = line(in).split(" ", 3);
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.computeIfAbsent(line.substring(0, colon), name -> new ArrayList<>())
                    .add(line.substring(colon + 1).strip());
        }
        return new Reply(Integer.parseInt(statusLine[1]), headers, toHead ? new byte[0] : body(in, headers));
    }

    private static byte[] body(InputStream in, Map<String, List<String>> headers) throws IOException {
        if (headers.containsKey("Content-Length")) {
            return in.readNBytes(Integer.parseInt(headers.get("Content-Length").get(0)));
        }
        if (headers.containsKey("Transfer-Encoding")) {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            for (int size = size(in); size > 0; size = size(in)) {
                body.write(in.readNBytes(size));
                line(in);
            }
            return body.toByteArray();
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        try {
            in.transferTo(body);
        } catch (SocketException reset) {
            // then this was all
        }
        return body.toByteArray();
    }

    private static int size(InputStream in) throws IOException {
        return Integer.parseInt(line(in).split(";")[0].strip(), 16);
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the connection ended after: " + line.toString(StandardCharsets.ISO_8859_1));
            }
            line.write(c);
        }
        return line.toString(StandardCharsets.ISO_8859_1).strip();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
