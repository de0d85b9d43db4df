// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;

/** A request whose body is in memory, or on its way there. Not thread-safe. */
final class CollectedRequest extends HttpServletRequestWrapper {

    private static final int FIRST = 1024;
    private static final int KILOBYTE = 1024;
    private static final int FREE = 4 * KILOBYTE;
    /**
     * Large bodies that are still arriving share an eighth of the memory, in kilobytes. Small ones, and so most
     * devices, need no share.
     */
    private static final Semaphore ROOM =
            new Semaphore((int) Math.min(Runtime.getRuntime().maxMemory() / 8 / KILOBYTE, Integer.MAX_VALUE));

    private final ServletInputStream in;
    private final long length;
    private final String uri;
    private final String query;
    private byte[] bytes;
    private int size;
    private int held;
    private ServletInputStream body;

    CollectedRequest(HttpServletRequest request, ServletInputStream in) {
        super(request);
        this.in = in;
        this.length = Bodies.length(request);
        this.uri = request.getRequestURI();
        this.query = request.getQueryString();
        this.bytes = new byte[(int) (length < 0 ? FIRST : Math.min(length, FIRST))];
    }

    /** Takes the bytes that are available without waiting, and tells whether the body is complete or too large. */
    boolean takeWhatIsThere() throws IOException {
        for (int there = in.available(); there > 0 && !isEnough(); there = in.available()) {
            if (!read(there)) {
                return true;
            }
        }
        // For a declared length, GlassFish may report the end when only the available bytes were read.
        return isEnough() || (length < 0 && in.isFinished());
    }

    /**
     * Does the same as {@link #takeWhatIsThere}, for a stream that has a listener.
     *
     * @throws RejectedExecutionException if there is no room for more
     */
    boolean take() throws IOException {
        while (!isEnough() && in.isReady()) {
            if (!hold(size + FIRST)) {
                throw new RejectedExecutionException("too many large bodies at once");
            }
            if (!read(FIRST)) {
                return true;
            }
        }
        return isEnough();
    }

    /** Tells whether the client declared the length of the body. */
    boolean hasLength() {
        return length >= 0;
    }

    /** Tells whether the server reports the end of the body. */
    boolean isAtEnd() {
        return in.isFinished();
    }

    private boolean hold(int capacity) {
        int more = Math.max(0, capacity - FREE) / KILOBYTE - held;
        if (more > 0 && !ROOM.tryAcquire(more)) {
            return false;
        }
        held += Math.max(0, more);
        return true;
    }

    /** Releases the room: the body is complete, or nobody waits for it any more. */
    void release() {
        ROOM.release(held);
        held = 0;
    }

    /**
     * Tells whether all of a declared length is there, which some servers do not report as the end, or a byte more than
     * the limit.
     */
    private boolean isEnough() {
        return size == length || size > Bodies.MAX;
    }

    private boolean read(int atMost) throws IOException {
        long left = (length < 0 ? Bodies.MAX + 1 : length) - size;
        int count = (int) Math.min(atMost, left);
        if (bytes.length - size < count) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + count));
        }
        int n = in.read(bytes, size, count);
        size += Math.max(n, 0);
        return n >= 0;
    }

    /** Returns the length of the collected body: GlassFish has forgotten it when the request continues. */
    @Override
    public long getContentLengthLong() {
        return size;
    }

    @Override
    public int getContentLength() {
        return size;
    }

    /**
     * Returns the URI as it was sent: a request that Open Liberty dispatches has lost its query, and one of two slashes
     * in a row.
     */
    @Override
    public String getRequestURI() {
        return uri;
    }

    @Override
    public String getQueryString() {
        return query;
    }

    @Override
    public StringBuffer getRequestURL() {
        return new StringBuffer(getScheme())
                .append("://")
                .append(getHeader("Host") == null ? getServerName() : getHeader("Host"))
                .append(uri);
    }

    /** Returns the same stream each time: Jersey on GlassFish asks for it before each read. */
    @Override
    public ServletInputStream getInputStream() {
        if (body == null) {
            body = new InMemory(new ByteArrayInputStream(bytes, 0, size));
        }
        return body;
    }

    private static final class InMemory extends ServletInputStream {

        private final ByteArrayInputStream in;

        InMemory(ByteArrayInputStream in) {
            this.in = in;
        }

        @Override
        public int read() {
            return in.read();
        }

        @Override
        public int read(byte[] buffer, int offset, int length) {
            return in.read(buffer, offset, length);
        }

        @Override
        public int available() {
            return in.available();
        }

        @Override
        public boolean isFinished() {
            return in.available() == 0;
        }

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setReadListener(ReadListener listener) {
            throw new IllegalStateException("the body is here already");
        }
    }
}
