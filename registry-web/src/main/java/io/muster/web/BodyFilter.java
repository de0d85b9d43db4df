// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.api.Problem;
import io.muster.api.ProblemType;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.annotation.WebFilter;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Serial;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects the body of each request before anything else sees the request, and holds no thread meanwhile. A client that
 * sends its body slowly occupies one connection for ten seconds, and nothing else. The body of an import may be large
 * and is passed on as it arrives.
 */
@WebFilter(urlPatterns = "/*", asyncSupported = true)
public class BodyFilter extends HttpFilter {

    @Serial
    private static final long serialVersionUID = 1;

    private static final Logger LOG = LoggerFactory.getLogger(BodyFilter.class);
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    /** The path of an import. Another spelling of it is collected, and so limited to the size of every other body. */
    private static final Pattern IMPORT = Pattern.compile("/api/v1/fleets/[^/]+/serials(/imports(/dry-run)?)?");

    private static final int ENDING = 4;
    /** The time between two looks at a thread that has not left yet, in microseconds. */
    private static final long LOOK_AGAIN = 300;

    private transient ExecutorService dispatcher;
    /** Ends requests on Payara and GlassFish whose body is late or refused. Null on other servers. */
    private transient ScheduledThreadPoolExecutor endings;
    /** Dispatches requests there. It writes nothing, so no client can hold its thread. Null on other servers. */
    private transient ScheduledThreadPoolExecutor departures;

    @Override
    public void init() {
        // Payara and GlassFish go on counting after the request has been dispatched. When the time is over they answer
        // 500, in the middle of the answer of the resource.
        if (getServletContext().getClass().getName().startsWith("org.apache.catalina.")) {
            endings = scheduler(ENDING, "muster-late-bodies");
            departures = scheduler(1, "muster-bodies");
        }
        // Open Liberty loses a request that is dispatched on the thread of a read listener. That thread has a copy of
        // the state of another thread, and may see that one's next request.
        if (getServletContext().getClass().getName().startsWith("com.ibm.")) {
            dispatcher = Executors.newSingleThreadExecutor(task -> {
                Thread thread = new Thread(task, "muster-bodies");
                thread.setDaemon(true);
                return thread;
            });
        }
    }

    @Override
    public void destroy() {
        if (dispatcher != null) {
            dispatcher.shutdown();
        }
        if (endings != null) {
            endings.shutdownNow();
            departures.shutdownNow();
        }
    }

    private static ScheduledThreadPoolExecutor scheduler(int threads, String name) {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(threads, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setRemoveOnCancelPolicy(true);
        return scheduler;
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (Framing.isAmbiguous(request)) {
            refuse(response, 400, Framing.FAULT);
            return;
        }
        RequestTarget.note(request);
        if (departures != null) {
            Departure.arrive();
        }
        long length = Bodies.length(request);
        if (length == 0 || (length < 0 && !Bodies.mayFollow(request))) {
            chain.doFilter(uncollected(request), response);
            return;
        }
        if (length > Bodies.MAX || isImport(request) || Bodies.isEncoded(request) || !Bodies.hasReadableType(request)) {
            // Close the connection: unread bytes of the body would be taken for the next request.
            response.setHeader("Connection", "close");
            chain.doFilter(uncollected(request), response);
            return;
        }
        ServletInputStream in = request.getInputStream();
        CollectedRequest collected = new CollectedRequest(request, in);
        if (collected.takeWhatIsThere()) {
            chain.doFilter(collected, response);
            return;
        }
        AsyncContext async = request.startAsync(collected, response);
        Collector collector = new Collector(collected, async, response, course());
        if (endings == null) {
            async.setTimeout(DEADLINE.toMillis());
        } else {
            async.setTimeout(0);
            collector.limit(endings.schedule(collector::isLate, DEADLINE.toMillis(), TimeUnit.MILLISECONDS));
        }
        async.addListener(collector);
        in.setReadListener(collector);
    }

    /**
     * How a request goes on.
     *
     * @param dispatches runs the dispatch
     * @param completes runs the end after an answer of this filter
     * @param awaitsEnd whether the server looks at the stream again after a call, and reports each end of a body
     */
    private record Course(Executor dispatches, Executor completes, boolean awaitsEnd) {}

    /** Returns how the request goes on that this thread brings. */
    private Course course() {
        if (dispatcher != null) {
            return new Course(dispatcher, dispatcher, true);
        }
        if (departures == null) {
            return new Course(Runnable::run, Runnable::run, false);
        }
        Departure departure = new Departure();
        return new Course(
                next -> whenOver(departure, next), next -> whenOver(departure, () -> endings.execute(next)), false);
    }

    private void whenOver(Departure departure, Runnable next) {
        if (departure.isOver()) {
            try {
                next.run();
            } catch (RuntimeException e) {
                LOG.warn("A request whose body arrived cannot go on", e);
            }
        } else {
            Future<?> unused = departures.schedule(() -> whenOver(departure, next), LOOK_AGAIN, TimeUnit.MICROSECONDS);
        }
    }

    /** Answers here, because the application does not see such a request, and closes the connection. */
    private static void refuse(HttpServletResponse response, int status, String detail) {
        byte[] body = Problems.body(
                status == 503 ? ProblemType.SERVICE_UNAVAILABLE : ProblemType.INVALID_REQUEST,
                status,
                null,
                List.of(new Problem.Fault("#", detail)),
                Problems.instance());
        try {
            if (status == 503) {
                response.setHeader("Retry-After", String.valueOf(DEADLINE.toSeconds()));
            }
            response.setStatus(status);
            response.setContentType(Problem.MEDIA_TYPE);
            response.setHeader("Cache-Control", "no-store");
            response.setHeader("X-Content-Type-Options", "nosniff");
            response.setHeader("Connection", "close");
            response.setContentLength(body.length);
            response.getOutputStream().write(body);
        } catch (IOException | IllegalStateException e) {
            LOG.debug("Nobody waits for the answer", e);
        }
    }

    /**
     * Wraps the request as collected ones are. The object that RESTEasy on Open Liberty injects into the fields of
     * filters expects every request to have the class of the first one.
     */
    private static HttpServletRequest uncollected(HttpServletRequest request) {
        return new HttpServletRequestWrapper(request);
    }

    private static boolean isImport(HttpServletRequest request) {
        return request.getMethod().equals("POST")
                && IMPORT.matcher(request.getRequestURI()
                                .substring(request.getContextPath().length()))
                        .matches();
    }

    /** Collects one body. */
    private static final class Collector implements ReadListener, AsyncListener {

        private static final String SHORT = "the body ended before it was complete";

        private final CollectedRequest collected;
        private final AsyncContext async;
        private final HttpServletResponse response;
        private final Course course;

        /** Null where the server measures the time. */
        private Future<?> limit;

        private boolean done;

        Collector(CollectedRequest collected, AsyncContext async, HttpServletResponse response, Course course) {
            this.collected = collected;
            this.async = async;
            this.response = response;
            this.course = course;
        }

        /** Takes what is to be cancelled when the body is there. */
        synchronized void limit(Future<?> limit) {
            this.limit = limit;
            if (done) {
                limit.cancel(false);
            }
        }

        private void end() {
            done = true;
            collected.release();
            if (limit != null) {
                limit.cancel(false);
            }
        }

        @Override
        public synchronized void onDataAvailable() throws IOException {
            try {
                // After this call Open Liberty looks at the stream again. If this request has gone on, the stream may
                // belong to the next one. At the end of a body it calls onAllDataRead, so wait for that. Undertow does
                // not always call it.
                if (!done && collected.take() && (!course.awaitsEnd() || !collected.isAtEnd())) {
                    passOn();
                }
            } catch (RejectedExecutionException e) {
                refuse(503, e.getMessage());
            }
        }

        @Override
        public synchronized void onAllDataRead() throws IOException {
            // GlassFish runs this call and onDataAvailable on two threads. This one may come first.
            if (done || collected.takeWhatIsThere() || !collected.hasLength()) {
                passOn();
            } else {
                refuse(400, SHORT);
            }
        }

        private void passOn() {
            if (!done) {
                end();
                course.dispatches().execute(async::dispatch);
            }
        }

        @Override
        public void onError(Throwable thrown) {
            LOG.debug("A body did not arrive", thrown);
            refuse(400, SHORT);
        }

        @Override
        public void onTimeout(AsyncEvent event) {
            // Stay on the server's thread: it holds what another thread would need.
            isLate();
        }

        void isLate() {
            refuse(408, "the body did not arrive within " + DEADLINE.toSeconds() + " seconds", Runnable::run);
        }

        private void refuse(int status, String detail) {
            refuse(status, detail, course.completes());
        }

        private synchronized void refuse(int status, String detail, Executor completes) {
            if (done) {
                return;
            }
            end();
            BodyFilter.refuse(response, status, detail);
            completes.execute(async::complete);
        }

        @Override
        public void onComplete(AsyncEvent event) {}

        @Override
        public void onError(AsyncEvent event) {
            refuse(400, SHORT, Runnable::run);
        }

        @Override
        public void onStartAsync(AsyncEvent event) {}
    }
}
