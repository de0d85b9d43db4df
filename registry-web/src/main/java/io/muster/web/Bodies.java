// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import io.muster.spi.WrittenText;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.MediaType;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads request bodies as bytes under a cap, before anything interprets them. {@link BodyFilter} has collected them.
 */
public final class Bodies {

    /** The largest body of every request except an import. */
    public static final int MAX = 64 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Bodies.class);

    private Bodies() {}

    /**
     * Returns the whole body.
     *
     * @param type the content type it must have, without parameters
     * @throws RegistryException if it has another type, or is over {@link #MAX}
     */
    public static byte[] read(HttpServletRequest request, InputStream in, String type) {
        require(request, type);
        checkLength(request, MAX);
        ByteArrayOutputStream body = new ByteArrayOutputStream(512);
        byte[] buffer = new byte[4096];
        InputStream sized = sized(request, in);
        try {
            for (int n = sized.read(buffer); n >= 0; n = sized.read(buffer)) {
                body.write(buffer, 0, n);
                if (body.size() > MAX) {
                    throw tooLarge(MAX);
                }
            }
        } catch (IOException e) {
            LOG.debug("A body did not arrive", e);
            throw invalid("the body ended before it was complete");
        }
        try {
            // A file that a person wrote and sent may begin with a byte order mark (RFC 8259 section 8.1).
            return WrittenText.withoutMark(body.toByteArray());
        } catch (WrittenText.Utf16Exception e) {
            throw invalid("the text is UTF-16; it must be UTF-8");
        }
    }

    /**
     * Returns the whole body as {@link #read} does. If there is no body and no content type, returns an empty object.
     */
    public static byte[] optional(HttpServletRequest request, InputStream in, String type) {
        boolean absent = length(request) == 0
                || (length(request) < 0
                        && ((request.getContentType() == null && request.getHeader("Transfer-Encoding") == null)
                                || !mayFollow(request)));
        byte[] body = absent ? new byte[0] : read(request, in, type);
        return body.length == 0 ? new byte[] {'{', '}'} : body;
    }

    /**
     * Tells whether there can be a body without a declared length: in HTTP/1 only with chunks (RFC 9112 section 6.3).
     */
    static boolean mayFollow(HttpServletRequest request) {
        return request.getHeader("Transfer-Encoding") != null
                || (!request.getProtocol().startsWith("HTTP/1")
                        && !request.getMethod().equals("GET")
                        && !request.getMethod().equals("HEAD"));
    }

    /**
     * Returns the body as a stream that throws an exception at the cap.
     *
     * @throws RegistryException if its declared length is over the cap, or it is compressed
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
     * Ends the stream at the declared length. Grizzly does not when a client offers to upgrade the connection, as
     * Java's own client does with h2c in every first request. It waits for more, for half a minute, and then throws an
     * exception.
     */
    private static InputStream sized(HttpServletRequest request, InputStream in) {
        long length = length(request);
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

    /** Tells whether the body has this content type, regardless of parameters. */
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

    /** Tells whether the body is compressed. Some servers decompress it while it is read. */
    static boolean isEncoded(HttpServletRequest request) {
        String encoding = request.getHeader("Content-Encoding");
        return encoding != null && !encoding.equalsIgnoreCase("identity");
    }

    /**
     * Tells whether JAX-RS can parse the content type. If it cannot, it refuses the request through the error page of
     * the container, which some containers do not run once a request waited for its body.
     */
    static boolean hasReadableType(HttpServletRequest request) {
        String type = request.getContentType();
        try {
            return type == null || MediaType.valueOf(type) != null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static void requireNoEncoding(HttpServletRequest request) {
        if (isEncoded(request)) {
            throw RegistryException.withDetail(ProblemType.UNSUPPORTED_MEDIA_TYPE, "send it without Content-Encoding");
        }
    }

    /** Returns the length of the body; negative if it is unknown. GlassFish then returns a large number. */
    static long length(HttpServletRequest request) {
        return request.getHeader("Transfer-Encoding") == null ? request.getContentLengthLong() : -1;
    }

    private static void checkLength(HttpServletRequest request, long max) {
        if (length(request) > max) {
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
