// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.log.RareLog;
import io.muster.operator.Operator;
import io.muster.problem.RegistryException;
import io.muster.record.SealedEvents;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The answers that are server-sent events, on this node. One thread writes all of them, and never waits for a reader: it
 * passes over a stream whose reader has not taken what was written, and makes nothing for it meanwhile. Thread-safe.
 */
@ApplicationScoped
public class EventStreams {

    /** The type of such an answer. */
    public static final String TYPE = "text/event-stream";

    private static final RareLog LOG = RareLog.of(EventStreams.class);
    private static final int MOST = 100;
    private static final int MOST_OF_ONE = 10;
    private static final Duration COME_BACK = Duration.ofSeconds(30);
    private static final Duration ROUND = Duration.ofMillis(500);
    private static final long PATIENCE = Duration.ofSeconds(30).toNanos();
    private static final long HEARTBEAT = Duration.ofSeconds(5).toNanos();
    private static final long CHECK = Duration.ofSeconds(2).toNanos();
    private static final int PARTS_AT_ONCE = 4;
    private static final String BEGINNING = "retry: 5000\n\n";

    @Inject
    SealedEvents events;

    private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread one = new Thread(task, "muster-streams");
        one.setDaemon(true);
        return one;
    });
    private boolean begun;

    /** Gives a stream its text. Called by one thread. */
    interface Source {

        /**
         * Returns what comes next, of bounded length; an empty text if there is nothing that this operator sees.
         *
         * @throws RegistryException {@code TOO_BUSY} if it cannot be read now; any other ends the stream
         */
        String next(Operator operator);

        /** Tells whether there is more to read at once. */
        boolean hasMore();

        /** Returns what is written if nothing else was for a while. */
        String heartbeat();

        /** Tells whether nothing will come any more. */
        boolean isOver();
    }

    /** Returns how many are open. */
    public int open() {
        return streams.size();
    }

    /**
     * Answers with a stream. The request must be suspended, and nothing else may answer it.
     *
     * @param by the operator who calls
     * @param access tells later who that is, or throws if the operator may no longer call
     * @throws RegistryException {@code SERVICE_UNAVAILABLE} if there are too many
     */
    void open(HttpServletRequest request, Operator by, Supplier<Operator> access, Source source) throws IOException {
        Stream stream = new Stream(request.getAsyncContext(), by, access, source);
        synchronized (this) {
            if (streams.size() >= MOST
                    || streams.stream()
                                    .filter(one -> one.operator.id().equals(by.id()))
                                    .count()
                            >= MOST_OF_ONE) {
                throw RegistryException.later(
                        ProblemType.SERVICE_UNAVAILABLE, "too many streams of events at once", COME_BACK);
            }
            streams.add(stream);
            if (!begun) {
                begun = true;
                var unused = thread.scheduleWithFixedDelay(
                        this::round, ROUND.toMillis(), ROUND.toMillis(), TimeUnit.MILLISECONDS);
            }
        }
        try {
            stream.begin();
        } catch (RuntimeException e) {
            streams.remove(stream);
            throw e;
        }
    }

    private void round() {
        try {
            if (streams.isEmpty()) {
                events.forget();
                return;
            }
            events.refresh();
        } catch (RuntimeException e) {
            LOG.warn("events", "New events cannot be read: {}", e.getMessage());
        }
        streams.forEach(Stream::tend);
    }

    @PreDestroy
    void stop() {
        thread.shutdown();
        streams.forEach(Stream::end);
    }

    /** One answer. */
    private final class Stream implements WriteListener {

        private final AsyncContext async;
        private final Supplier<Operator> access;
        private final Source source;
        private final ServletOutputStream out;
        private volatile boolean lost;
        private volatile boolean started;
        private Operator operator;
        private boolean ended;
        private long checkedAt = System.nanoTime();
        private long writtenAt = checkedAt;
        private boolean begins = true;

        Stream(AsyncContext async, Operator by, Supplier<Operator> access, Source source) throws IOException {
            this.async = async;
            this.operator = by;
            this.access = access;
            this.source = source;
            this.out = async.getResponse().getOutputStream();
        }

        void begin() {
            async.setTimeout(0);
            HttpServletResponse response = (HttpServletResponse) async.getResponse();
            response.setStatus(HttpServletResponse.SC_OK);
            response.setContentType(TYPE);
            response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
            response.setHeader("X-Content-Type-Options", "nosniff");
            // Asks nginx to pass on at once what it gets.
            response.setHeader("X-Accel-Buffering", "no");
            out.setWriteListener(this);
            started = true;
        }

        synchronized void tend() {
            if (ended || !started) {
                return;
            }
            try {
                long now = System.nanoTime();
                if (lost || now - writtenAt > HEARTBEAT + PATIENCE) {
                    end();
                    return;
                }
                if (now - checkedAt > CHECK) {
                    operator = access.get();
                    checkedAt = now;
                }
                write(now);
            } catch (RegistryException e) {
                if (e.type() != ProblemType.TOO_BUSY) {
                    end();
                }
            } catch (IOException | RuntimeException e) {
                LOG.info("end", "A stream of events ends: {}", e.getMessage());
                end();
            }
        }

        private void write(long now) throws IOException {
            boolean wrote = false;
            boolean more = true;
            for (int part = 0; part < PARTS_AT_ONCE && more && out.isReady(); part++) {
                String text = (begins ? BEGINNING + source.heartbeat() : "") + source.next(operator);
                more = source.hasMore();
                if (text.isEmpty() && !more && now - writtenAt > HEARTBEAT) {
                    text = source.heartbeat();
                }
                if (!text.isEmpty()) {
                    begins = false;
                    wrote = true;
                    writtenAt = now;
                    out.write(text.getBytes(StandardCharsets.UTF_8));
                }
            }
            if (wrote && out.isReady()) {
                out.flush();
            }
            if (source.isOver() && !more && out.isReady()) {
                end();
            }
        }

        synchronized void end() {
            if (!ended) {
                ended = true;
                streams.remove(this);
                try {
                    async.complete();
                } catch (IllegalStateException e) {
                    LOG.info("ended", "A stream of events has ended before: {}", e.getMessage());
                }
            }
        }

        @Override
        public void onWritePossible() {
            // The next round writes.
        }

        @Override
        public void onError(Throwable thrown) {
            lost = true;
        }
    }

    /** Returns an event as the format demands it. */
    static String event(Optional<String> id, String type, String data) {
        return id.map(word -> "id: " + word + "\n").orElse("") + "event: " + type + "\ndata: " + data + "\n\n";
    }
}
