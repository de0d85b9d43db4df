// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One HTTP/1.1 connection to a server on this machine, kept for all its requests. Implements just enough of the
 * protocol to cost next to nothing: one write for a request, and answers with a length or in chunks. For one thread.
 */
final class HttpConnection implements AutoCloseable {

    /** An answer; the header {@code Retry-After} is empty if there is none. */
    record Reply(int status, String body, String retryAfter, boolean kept) {}

    private static final int TIMEOUT_MILLIS = 120_000;

    private final String host;
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private byte[] buffer = new byte[8192];
    private int position;
    private int limit;

    HttpConnection(int port) throws IOException {
        host = "127.0.0.1:" + port;
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = socket.getInputStream();
        out = socket.getOutputStream();
    }

    /**
     * Posts a text of ASCII characters and waits for the answer.
     *
     * @param authorization the header's value, or null
     * @throws IOException if the connection broke or was not kept
     */
    Reply post(String path, String type, String authorization, String body) throws IOException {
        Reply reply = postLast(path, type, authorization, body);
        if (!reply.kept()) {
            throw new IOException("the server does not keep the connection: " + reply);
        }
        return reply;
    }

    /** Gets something, on a connection that the server may close after its answer. */
    Reply getLast(String path) throws IOException {
        out.write(("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        return answer();
    }

    /** Posts like {@link #post}; the server may close the connection after its answer. */
    Reply postLast(String path, String type, String authorization, String body) throws IOException {
        StringBuilder request = new StringBuilder(256 + body.length())
                .append("POST ")
                .append(path)
                .append(" HTTP/1.1\r\nHost: ")
                .append(host)
                .append("\r\nContent-Type: ")
                .append(type)
                .append("\r\nContent-Length: ")
                .append(body.length());
        if (authorization != null) {
            request.append("\r\nAuthorization: ").append(authorization);
        }
        request.append("\r\n\r\n").append(body);
        out.write(request.toString().getBytes(StandardCharsets.US_ASCII));
        return answer();
    }

    private Reply answer() throws IOException {
        String statusLine = line();
        if (!statusLine.startsWith("HTTP/1.1 ")) {
            throw new IOException("not an answer of HTTP/1.1");
        }
        int status = Integer.parseInt(statusLine, 9, 12, 10);
        int length = -1;
        boolean chunked = false;
        boolean kept = true;
        String retryAfter = "";
        for (String header = line(); !header.isEmpty(); header = line()) {
            if (has(header, "content-length:")) {
                length = Integer.parseInt(header.substring(15).strip());
            } else if (has(header, "transfer-encoding:")) {
                chunked = header.substring(18).strip().equalsIgnoreCase("chunked");
            } else if (has(header, "connection:")) {
                kept = !header.substring(11).strip().equalsIgnoreCase("close");
            } else if (has(header, "retry-after:")) {
                retryAfter = header.substring(12).strip();
            }
        }
        String body = chunked ? chunks() : text(length);
        return new Reply(status, body, retryAfter, kept);
    }

    private static boolean has(String header, String name) {
        return header.regionMatches(true, 0, name, 0, name.length());
    }

    private String chunks() throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            int length = Integer.parseInt(line(), 16);
            body.append(text(length));
            line();
            if (length == 0) {
                return body.toString();
            }
        }
    }

    private String text(int length) throws IOException {
        if (length < 0) {
            throw new IOException("an answer without a length");
        }
        while (limit - position < length) {
            fill();
        }
        position += length;
        return new String(buffer, position - length, length, StandardCharsets.UTF_8);
    }

    private String line() throws IOException {
        for (int i = position; ; i++) {
            while (i >= limit) {
                int before = position;
                fill();
                i -= before - position;
            }
            if (buffer[i] == '\n') {
                String line = new String(buffer, position, i - 1 - position, StandardCharsets.ISO_8859_1);
                position = i + 1;
                return line;
            }
        }
    }

    /** Reads more. Bytes that were read before and not used move to the front of the buffer. */
    private void fill() throws IOException {
        if (position > 0) {
            System.arraycopy(buffer, position, buffer, 0, limit - position);
            limit -= position;
            position = 0;
        }
        if (limit == buffer.length) {
            buffer = Arrays.copyOf(buffer, buffer.length * 2);
        }
        int n = in.read(buffer, limit, buffer.length - limit);
        if (n < 0) {
            throw new EOFException("the server closed the connection");
        }
        limit += n;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
