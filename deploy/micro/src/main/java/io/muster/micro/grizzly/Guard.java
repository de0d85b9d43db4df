// SPDX-License-Identifier: Apache-2.0
package io.muster.micro.grizzly;

import java.io.CharConversionException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Field;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.glassfish.grizzly.Buffer;
import org.glassfish.grizzly.Connection;
import org.glassfish.grizzly.Grizzly;
import org.glassfish.grizzly.attributes.Attribute;
import org.glassfish.grizzly.filterchain.BaseFilter;
import org.glassfish.grizzly.filterchain.FilterChain;
import org.glassfish.grizzly.filterchain.FilterChainBuilder;
import org.glassfish.grizzly.filterchain.FilterChainContext;
import org.glassfish.grizzly.filterchain.FilterChainEvent;
import org.glassfish.grizzly.filterchain.NextAction;
import org.glassfish.grizzly.http.HttpContent;
import org.glassfish.grizzly.http.HttpEvents;
import org.glassfish.grizzly.http.HttpHeader;
import org.glassfish.grizzly.http.HttpRequestPacket;
import org.glassfish.grizzly.http.HttpResponsePacket;
import org.glassfish.grizzly.http.Method;
import org.glassfish.grizzly.http.Protocol;
import org.glassfish.grizzly.http.server.HttpServerFilter;
import org.glassfish.grizzly.http.util.Header;
import org.glassfish.grizzly.http.util.MimeHeaders;
import org.glassfish.grizzly.memory.Buffers;
import org.glassfish.grizzly.nio.NIOConnection;
import org.glassfish.grizzly.nio.NIOTransport;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;

/**
 * Stands between the server's HTTP parser and the application, so that no connection holds a thread while it waits for
 * the other side.
 *
 * <ul>
 *   <li>A body is collected before the application sees its request. Only an import, or a body over the size limit, is
 *       passed on as it arrives. A request that is incomplete ten seconds after its first byte ends its connection with
 *       408.
 *   <li>Writing never waits. If a client does not read its answers, no further request of its connection is served. The
 *       connection is closed if nothing was read for ten seconds.
 *   <li>Pipelined requests share a few threads.
 *   <li>An ambiguous request, which two programs could read as two different ones, gets 400 and ends its connection.
 *   <li>An offer to change the protocol is ignored: a body that comes with one is like any other.
 * </ul>
 *
 * <p>Requests by HTTP/2 pass: there the registry collects the body itself.
 */
public final class Guard extends BaseFilter {

    /** The most that the registry reads of any body except an import's. */
    private static final int MOST_COLLECTED = 64 * 1024;

    private static final int KILOBYTE = 1024;
    private static final int FREE = 4 * KILOBYTE;
    /** The most that the system buffers of answers that nobody reads. */
    private static final int SEND_BUFFER = 32 * 1024;

    private static final long PATIENCE = Duration.ofSeconds(10).toNanos();
    /**
     * Time for the answer to a body that was not read to its end. If the connection were closed at once, the answer
     * would be lost with the rest of the body.
     */
    private static final long LINGER = Duration.ofSeconds(2).toNanos();

    private static final Duration ROUND = Duration.ofMillis(100);

    private static final Pattern IMPORT = Pattern.compile("/api/v1/fleets/[^/]+/serials(/imports(/dry-run)?)?");

    /** Answers of any length. Those who write them wait for readers that are slow; all other answers wait in memory. */
    private static final Pattern DOWNLOAD = Pattern.compile("/api/v1/(audit/export|events/stream"
            + "|fleets/[^/]+/(exports/[^/]+|jobs/[^/]+/(results|failures|stream)))");

    private static final int MOST_UNREAD = 256 * KILOBYTE;
    private static final int UNLIMITED = -1;

    /**
     * RFC 3986 section 3.2: a name or an address, and a port. No comma: a proxy may have joined two of them with one.
     */
    private static final Pattern HOST =
            Pattern.compile("([A-Za-z0-9._~%!$&'()*+;=-]+|\\[[0-9A-Fa-fv:.]+])(:\\d{0,5})?");

    /** The parser's own attribute: a request of which it has something but not everything. */
    private static final Attribute<HttpRequestPacket> UNFINISHED = Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(
            org.glassfish.grizzly.http.HttpServerFilter.HTTP_SERVER_REQUEST_ATTR_NAME);

    /** The parser's private field with the head of a request that it has received. */
    private static final VarHandle RECEIVED = received();

    private static final Pattern LENGTH =
            Pattern.compile("^Content-Length[ \\t]*:", Pattern.CASE_INSENSITIVE | Pattern.MULTILINE);
    private static final String NONE = "none";
    private static final String ABOVE_THE_ROOT = "/..";
    private static final String TIMEOUT = answer("408 Request Timeout");
    private static final String BUSY = answer("503 Service Unavailable\r\nRetry-After: 10");
    private static final String BAD = answer("400 Bad Request");
    private static final String VERSION = answer("505 HTTP Version Not Supported");

    private final Map<Connection<?>, State> states = new ConcurrentHashMap<>();
    private final Lane lane;
    private final Semaphore room =
            new Semaphore((int) Math.min(Runtime.getRuntime().maxMemory() / 8 / KILOBYTE, Integer.MAX_VALUE));

    /** The state of an open connection. Times are 0 while nothing is awaited. */
    private static final class State {
        /** When the first byte arrived of a request that is still incomplete. */
        private volatile long since;
        /** The request that was found to be fine and is still incomplete. */
        private volatile HttpRequestPacket checked;
        /** Whether input is passed on as it arrives: the body of that request, or HTTP/2. */
        private volatile boolean passing;
        /** A request that waits until the answers before it are on their way. */
        private volatile FilterChainContext waiting;

        private volatile long closeAt;
        private volatile boolean closed;
        /** Kilobytes of a body, beyond those that are free. */
        private final AtomicInteger held = new AtomicInteger();
        /** The last host that was found to be fine. */
        private volatile String host;
        /** The number of reads, and that number when the last request came. */
        private volatile int reads;

        private volatile int readsBefore;
        private long unreadSince;
        private int unread;
    }

    private Guard(Lane lane) {
        this.lane = lane;
    }

    /**
     * Guards the connections of a listener that are accepted from now on. The few that were accepted while it opened
     * are not guarded. They keep the chain of filters that they came with, because Grizzly's state of a connection has
     * the length of that chain.
     *
     * @throws ReflectiveOperationException if it is not the Grizzly that this was made for
     */
    public static void on(NIOTransport transport) throws ReflectiveOperationException {
        FilterChain chain = FilterChainBuilder.stateless()
                .addAll((FilterChain) transport.getProcessor())
                .build();
        Guard guard = new Guard(new Lane(transport::getWorkerThreadPool));
        chain.add(chain.indexOfType(HttpServerFilter.class), guard);
        chain.add(chain.indexOfType(org.glassfish.grizzly.http.HttpServerFilter.class), guard.new Reads());
        transport.setProcessor(chain);
        Field listening = TCPNIOTransport.class.getDeclaredField("serverConnections");
        listening.setAccessible(true);
        for (Object connection : (Collection<?>) listening.get(transport)) {
            ((Connection<?>) connection).setProcessor(chain);
        }
        transport.getAsyncQueueIO().getWriter().setMaxPendingBytesPerConnection(UNLIMITED);
        var unused = Executors.newSingleThreadScheduledExecutor(task -> {
                    Thread thread = new Thread(task, "muster-connections");
                    thread.setDaemon(true);
                    return thread;
                })
                .scheduleWithFixedDelay(guard::look, ROUND.toMillis(), ROUND.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The filter before the parser. */
    private final class Reads extends BaseFilter {
        /** One thread reads a connection at a time; the round only compares. */
        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate")
        public NextAction handleRead(FilterChainContext context) {
            State state = states.get(context.getConnection());
            if (state != null) {
                state.reads++;
            }
            return context.getInvokeAction();
        }
    }

    @Override
    public NextAction handleAccept(FilterChainContext context) throws IOException {
        if (context.getConnection() instanceof NIOConnection connection
                && connection.getChannel() instanceof SocketChannel socket) {
            socket.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER);
        }
        states.put(context.getConnection(), new State());
        return context.getInvokeAction();
    }

    @Override
    public NextAction handleClose(FilterChainContext context) {
        State state = states.remove(context.getConnection());
        if (state != null) {
            state.closed = true;
            release(state);
        }
        return context.getInvokeAction();
    }

    @Override
    public NextAction handleRead(FilterChainContext context) {
        State state = states.get(context.getConnection());
        if (!(context.getMessage() instanceof HttpContent content)
                || !(content.getHttpHeader() instanceof HttpRequestPacket request)) {
            return context.getInvokeAction();
        }
        if (state == null) {
            return deaf(context);
        }
        if (isHttp2(request, context.getConnection())) {
            refuseUndecodable(request);
            state.passing = true;
            return context.getInvokeAction();
        }
        if (state.checked != request) {
            refuseUndecodable(request);
            if (!isHttp1(request)) {
                return refuse(context, state, VERSION);
            }
            if (isAmbiguous(request, state)) {
                return refuse(context, state, BAD);
            }
            state.checked = request;
            ((NIOConnection) context.getConnection())
                    .setMaxAsyncWriteQueueSize(
                            DOWNLOAD.matcher(request.getRequestURI()).matches() ? MOST_UNREAD : UNLIMITED);
        }
        boolean served = state.passing;
        if (content.isLast()) {
            // The parser uses the object again, for any request.
            state.checked = null;
            state.passing = false;
            state.since = 0;
        } else if (served || !mustWait(content, request)) {
            state.passing = true;
        } else {
            return hold(state, content.getContent().remaining())
                    ? context.getStopAction(content)
                    : refuse(context, state, BUSY);
        }
        if (served) {
            return context.getInvokeAction();
        }
        release(state);
        return serve(context, state);
    }

    /** Drops an offer to change the protocol. Because of it the parser would stop looking for the end of the body. */
    @Override
    public NextAction handleEvent(FilterChainContext context, FilterChainEvent event) {
        if (event instanceof HttpEvents.IncomingHttpUpgradeEvent offer) {
            offer.getHttpHeader().getUpgradeDC().recycle();
            offer.getHttpHeader().setIgnoreContentModifiers(false);
        }
        return context.getInvokeAction();
    }

    private static boolean isHttp2(HttpRequestPacket request, Connection<?> connection) {
        // A request line that claims HTTP/2 proves nothing. A real request of HTTP/2 has a stream of its own.
        return request.getProcessingState().getHttpContext().getContextStorage() != connection;
    }

    private static boolean isHttp1(HttpRequestPacket request) {
        return request.getProtocol() == Protocol.HTTP_1_1 || request.getProtocol() == Protocol.HTTP_1_0;
    }

    private static NextAction refuse(FilterChainContext context, State state, String answer) {
        say(context.getConnection(), answer);
        state.closeAt = System.nanoTime();
        return deaf(context);
    }

    /**
     * Reserves memory for a large body. Large bodies that are still arriving share an eighth of the memory. Small ones,
     * and so most devices, need no share.
     */
    private boolean hold(State state, int bytes) {
        int more = (bytes - FREE + KILOBYTE - 1) / KILOBYTE - state.held.get();
        if (more <= 0) {
            return true;
        }
        if (!room.tryAcquire(more)) {
            return false;
        }
        state.held.addAndGet(more);
        if (state.closed) {
            release(state);
        }
        return true;
    }

    private void release(State state) {
        int held = state.held.getAndSet(0);
        if (held > 0) {
            room.release(held);
        }
    }

    /** Ignores everything else from this connection. */
    private static NextAction deaf(FilterChainContext context) {
        context.suspend();
        NextAction deaf = context.getSuspendAction();
        context.completeAndRecycle();
        return deaf;
    }

    private NextAction serve(FilterChainContext context, State state) {
        boolean waited = state.readsBefore != state.reads;
        state.readsBefore = state.reads;
        boolean mayWrite = unwritten((NIOConnection) context.getConnection()) == 0;
        if (waited && mayWrite) {
            return context.getInvokeAction();
        }
        context.suspend();
        NextAction later = context.getSuspendAction();
        if (mayWrite) {
            lane.serve(context);
        } else {
            state.waiting = context;
        }
        return later;
    }

    private static boolean mustWait(HttpContent content, HttpRequestPacket request) {
        return request.getMethod() != Method.CONNECT
                && !request.requiresAcknowledgement()
                && request.getContentLength() <= MOST_COLLECTED
                && content.getContent().remaining() <= MOST_COLLECTED
                && !(request.getMethod() == Method.POST
                        && IMPORT.matcher(request.getRequestURI()).matches());
    }

    /**
     * Refuses a path that cannot be decoded. Without this, the server logs the exception and answers an empty 200. It
     * also does so for a path that ends with a dot, if a buffer of its decoder happens to be full. It answers 400 to a
     * path above the root.
     */
    private static void refuseUndecodable(HttpRequestPacket request) {
        try {
            request.getRequestURIRef().getDecodedRequestURIBC();
        } catch (CharConversionException | RuntimeException e) {
            request.getRequestURIRef().setURI(ABOVE_THE_ROOT);
        }
    }

    /** Tells whether two programs could read two different requests. */
    private static boolean isAmbiguous(HttpRequestPacket request, State state) {
        MimeHeaders headers = request.getHeaders();
        String host = only(headers, Header.Host, "");
        if (!host.equals(state.host)) {
            boolean none = host.isEmpty()
                    && request.getProtocol() == Protocol.HTTP_1_0
                    && headers.getValue(Header.Host) == null;
            if (!none && !HOST.matcher(host).matches()) {
                return true;
            }
            state.host = host;
        }
        String coding = only(headers, Header.TransferEncoding, NONE);
        return only(headers, Header.ContentLength, NONE).isEmpty()
                || (!coding.equals(NONE)
                        && (!coding.equalsIgnoreCase("chunked")
                                || request.getProtocol() != Protocol.HTTP_1_1
                                || hadLength(request)));
    }

    /**
     * Tells whether the received head had a length. The parser removes a length that comes before chunks, so this looks
     * at the bytes.
     */
    private static boolean hadLength(HttpRequestPacket request) {
        Buffer head = (Buffer) RECEIVED.get((HttpHeader) request);
        return head == null
                || LENGTH.matcher(head.toStringContent(StandardCharsets.ISO_8859_1, 0, head.limit()))
                        .find();
    }

    private static VarHandle received() {
        try {
            return MethodHandles.privateLookupIn(HttpHeader.class, MethodHandles.lookup())
                    .findVarHandle(HttpHeader.class, "headerBuffer", Buffer.class);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("not the Grizzly this was made for", e);
        }
    }

    /** Returns the value of a header; if it occurs twice, an empty text, which none of these may be. */
    private static String only(MimeHeaders headers, Header name, String otherwise) {
        Iterator<String> values = headers.values(name).iterator();
        if (!values.hasNext()) {
            return otherwise;
        }
        String value = values.next();
        return values.hasNext() ? "" : value;
    }

    @Override
    public NextAction handleWrite(FilterChainContext context) {
        if (context.getMessage() instanceof HttpContent content
                && content.isLast()
                && content.getHttpHeader() instanceof HttpResponsePacket response
                && response.getRequest() != null
                && response.getRequest().isExpectContent()) {
            State state = states.get(context.getConnection());
            if (state != null && state.passing && state.checked == response.getRequest()) {
                // The answer to a body that was not read to its end.
                state.closeAt = System.nanoTime() + LINGER;
            }
        }
        return context.getInvokeAction();
    }

    private void look() {
        long now = System.nanoTime();
        states.forEach((connection, state) -> {
            try {
                look((NIOConnection) connection, state, now);
            } catch (RuntimeException e) {
                connection.terminateSilently();
            }
        });
    }

    private void look(NIOConnection connection, State state, long now) {
        int unwritten = unwritten(connection);
        if (unwritten == 0) {
            state.unreadSince = 0;
        } else if (state.unreadSince == 0 || unwritten < state.unread) {
            state.unreadSince = now;
        }
        state.unread = unwritten;
        if (state.passing || UNFINISHED.get(connection) == null) {
            state.since = 0;
        } else if (state.since == 0) {
            state.since = now;
        }
        long since = state.since;
        if ((state.closeAt != 0 && now - state.closeAt >= 0)
                || (state.unreadSince != 0 && now - state.unreadSince > PATIENCE)) {
            connection.terminateSilently();
        } else if (since != 0 && now - since > PATIENCE && state.closeAt == 0) {
            state.closeAt = now + ROUND.toNanos();
            say(connection, TIMEOUT);
        }
        FilterChainContext waiting = state.waiting;
        if (waiting != null && unwritten == 0) {
            state.waiting = null;
            lane.serve(waiting);
        }
    }

    private static String answer(String status) {
        return "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    }

    private static void say(Connection<?> connection, String answer) {
        var unused = connection.write(
                Buffers.wrap(connection.getMemoryManager(), answer.getBytes(StandardCharsets.US_ASCII)));
    }

    private static int unwritten(NIOConnection connection) {
        return connection.getAsyncWriteQueue().spaceInBytes();
    }
}
