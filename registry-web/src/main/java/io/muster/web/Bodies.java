package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.MediaType;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads request bodies as bytes, under a cap and a deadline, before anything interprets them. */
public final class Bodies {

    /** The largest body of every request but an import. */
    public static final int MAX = 64 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Bodies.class);
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private Bodies() {}

    /**
     * Returns the whole body.
     *
     * @param type the content type it must have, parameters aside
     * @throws RegistryException if it has another type, is over {@link #MAX}, or takes more than ten seconds to arrive
     */
    public static byte[] read(HttpServletRequest request, InputStream in, String type) {
        require(request, type);
        checkLength(request, MAX);
        long started = System.nanoTime();
        ByteArrayOutputStream body = new ByteArrayOutputStream(512);
        byte[] buffer = new byte[4096];
        InputStream sized = sized(request, in);
        try {
            for (int n = sized.read(buffer); n >= 0; n = sized.read(buffer)) {
                body.write(buffer, 0, n);
                if (body.size() > MAX) {
                    throw tooLarge(MAX);
                }
                if (System.nanoTime() - started > DEADLINE.toNanos()) {
                    throw invalid("the body did not arrive within " + DEADLINE.toSeconds() + " seconds");
                }
            }
        } catch (IOException e) {
            LOG.debug("A body did not arrive", e);
            throw invalid("the body ended before it was complete");
        }
        return body.toByteArray();
    }

    /** Returns the whole body as {@link #read}, and an empty object where there is none, content type and all. */
    public static byte[] optional(HttpServletRequest request, InputStream in, String type) {
        boolean absent = request.getContentLengthLong() == 0
                || request.getContentLengthLong() < 0
                        && request.getContentType() == null
                        && request.getHeader("Transfer-Encoding") == null;
        return absent ? new byte[] {'{', '}'} : read(request, in, type);
    }

    /**
     * Returns the body as a stream that ends with an exception at the cap.
     *
     * @throws RegistryException if its length is declared to be over the cap, or it is compressed
     */
    public static InputStream capped(HttpServletRequest request, InputStream in, long max) {
        requireNoEncoding(request);
        checkLength(request, max);
        return new FilterInputStream(sized(request, in)) {

            private long left = max;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                int n = super.read(buffer, offset, length);
                left -= Math.max(n, 0);
                if (left < 0) {
                    throw tooLarge(max);
                }
                return n;
            }
        };
    }

    /**
     * Ends where the declared length ends. Grizzly does not when a client offers to upgrade the connection (Java's own client
     * offers h2c with every first request): it waits for more, for half a minute, and then throws.
     */
    private static InputStream sized(HttpServletRequest request, InputStream in) {
        long length = request.getContentLengthLong();
        if (length < 0) {
            return in;
        }
        return new FilterInputStream(in) {

            private long left = length;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] buffer, int offset, int count) throws IOException {
                if (left == 0) {
                    return -1;
                }
                int n = super.read(buffer, offset, (int) Math.min(count, left));
                if (n < 0) {
                    throw new EOFException("the body is shorter than its declared length");
                }
                left -= n;
                return n;
            }
        };
    }

    /** Tells whether the body has this content type, parameters aside. */
    public static boolean is(HttpServletRequest request, String type) {
        String given = request.getContentType();
        if (given == null) {
            return false;
        }
        int parameters = given.indexOf(';');
        return (parameters < 0 ? given : given.substring(0, parameters)).strip().equalsIgnoreCase(type);
    }

    private static void require(HttpServletRequest request, String type) {
        if (!is(request, type)) {
            throw RegistryException.withDetail(ProblemType.UNSUPPORTED_MEDIA_TYPE, "send " + type);
        }
        requireNoEncoding(request);
    }

    private static void requireNoEncoding(HttpServletRequest request) {
        String encoding = request.getHeader("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            throw RegistryException.withDetail(ProblemType.UNSUPPORTED_MEDIA_TYPE, "send it without Content-Encoding");
        }
    }

    private static void checkLength(HttpServletRequest request, long max) {
        if (request.getContentLengthLong() > max) {
            throw tooLarge(max);
        }
    }

    private static RegistryException tooLarge(long max) {
        return RegistryException.withDetail(ProblemType.PAYLOAD_TOO_LARGE, "at most " + max + " bytes");
    }

    private static RegistryException invalid(String detail) {
        return RegistryException.invalid(List.of(new Problem.Fault("#", detail)));
    }

    /** The content type of JSON. */
    public static final String JSON = MediaType.APPLICATION_JSON;
    /** The content type of forms. */
    public static final String FORM = MediaType.APPLICATION_FORM_URLENCODED;
}
