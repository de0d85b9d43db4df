// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import io.muster.config.Settings;
import io.muster.spi.VerificationUnavailableException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A copy of what an address publishes. It is fetched when first needed, and again when it is old or a caller misses
 * something in it, but never more often than the refresh interval permits. While the address does not answer, the last
 * good copy stays valid for a bounded time.
 *
 * <p>A fetch has a thread of its own, and others wait for it. A caller that gives up ends only its own wait. While
 * there is a valid copy, only half of the questions at once may wait for others. The other half is left to those that
 * miss nothing. Thread-safe.
 *
 * @param <T> the copy, immutable
 */
public final class PublishedCopy<T> implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PublishedCopy.class);

    /** The same as for every verifier that calls another system. */
    private static final int AT_ONCE = 16;

    private final String who;
    private final String what;
    private final Supplier<T> source;
    private final Duration maxAge;
    private final Duration maxStale;
    private final Duration interval;
    private final Clock clock;
    private final Semaphore waiting;
    private final Semaphore looking;
    private final ThreadPoolExecutor thread;
    private Optional<CompletableFuture<Void>> underWay = Optional.empty();
    private volatile Optional<Fetched<T>> last = Optional.empty();
    private volatile Optional<Attempt> attempt = Optional.empty();

    /** A copy, and when it was asked for. */
    private record Fetched<T>(T copy, Instant at) {}

    /** A fetch, and whether this caller began it. */
    private record Fetch(CompletableFuture<Void> end, boolean begun) {}

    /** An attempt to fetch, and its result. */
    private record Attempt(Instant at, Optional<String> failure) {}

    /**
     * Reads the settings {@code jwks-max-age}, {@code jwks-max-stale}, {@code jwks-refresh-interval} and
     * {@code max-concurrent}; connects to nothing.
     *
     * @param who the beginning of messages
     * @param what is published, for messages, in the plural
     * @param threadName the name of the thread that fetches
     * @param source fetches it in one attempt, or throws {@link VerificationUnavailableException}
     */
    public PublishedCopy(
            String who, String what, String threadName, Supplier<T> source, Settings settings, Clock clock) {
        this.who = who;
        this.what = what;
        this.source = source;
        this.maxAge =
                settings.duration("jwks-max-age", Duration.ofHours(1), Duration.ofSeconds(10), Duration.ofDays(1));
        this.maxStale = settings.duration("jwks-max-stale", Duration.ofHours(6), Duration.ZERO, Duration.ofDays(7));
        this.interval = settings.duration(
                "jwks-refresh-interval", Duration.ofSeconds(10), Duration.ofSeconds(1), Duration.ofMinutes(10));
        this.clock = clock;
        int atOnce = settings.number("max-concurrent", AT_ONCE, 1, 1000);
        // Not all callers are bounded as verifiers are: some are requests themselves.
        this.waiting = new Semaphore(4 * atOnce);
        this.looking = new Semaphore(atOnce / 2);
        this.thread = new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread made = new Thread(task, threadName);
            made.setDaemon(true);
            return made;
        });
    }

    /**
     * Returns the copy, and fetches it first if it is old.
     *
     * @throws VerificationUnavailableException if there is no valid copy
     */
    public T current() {
        if (!isYoungerThan(maxAge)) {
            Fetch fetch = fetch();
            // A caller that has a valid copy does not wait for another's fetch.
            if (fetch.begun() || !isYoungerThan(maxAge.plus(maxStale))) {
                await(fetch.end(), waiting, "too many wait for " + what);
            }
        }
        return valid();
    }

    /**
     * Returns the copy after a fetch, if one may be made or is under way.
     *
     * @throws VerificationUnavailableException if there is no valid copy, or too many callers miss something
     */
    public T newer() {
        CompletableFuture<Void> end = fetch().end();
        if (!end.isDone()) {
            await(end, looking, "too many at once miss something in " + what);
        }
        return valid();
    }

    /** Returns why the last attempt to fetch failed; empty if it succeeded. */
    public Optional<String> failure() {
        return attempt.flatMap(Attempt::failure);
    }

    private T valid() {
        if (!isYoungerThan(maxAge.plus(maxStale))) {
            throw new VerificationUnavailableException(failure().orElse(who + what + " are too old"));
        }
        return last.orElseThrow().copy();
    }

    private boolean isYoungerThan(Duration age) {
        return last.filter(fetched -> isWithin(fetched.at(), age)).isPresent();
    }

    private boolean mayFetch() {
        return attempt.filter(made -> isWithin(made.at(), interval)).isEmpty();
    }

    /** Tells whether a time is recent. If the clock was set back, it counts as old, so that it is not new for ever. */
    private boolean isWithin(Instant since, Duration age) {
        Duration elapsed = Duration.between(since, clock.instant());
        return !elapsed.isNegative() && elapsed.compareTo(age) < 0;
    }

    /** Returns the fetch that is under way or begins now, or one that has ended if none is permitted. */
    private synchronized Fetch fetch() {
        if (underWay.filter(fetch -> !fetch.isDone()).isPresent()) {
            return new Fetch(underWay.get(), false);
        }
        if (!mayFetch()) {
            return new Fetch(CompletableFuture.completedFuture(null), false);
        }
        try {
            CompletableFuture<Void> begun = CompletableFuture.runAsync(this::fetchNow, thread);
            underWay = Optional.of(begun);
            return new Fetch(begun, true);
        } catch (RejectedExecutionException e) {
            throw new VerificationUnavailableException(who + "the registry stops");
        }
    }

    private void await(CompletableFuture<Void> end, Semaphore room, String full) {
        if (!room.tryAcquire()) {
            throw new VerificationUnavailableException(who + full);
        }
        try {
            end.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VerificationUnavailableException(who + "interrupted");
        } catch (ExecutionException e) {
            throw new VerificationUnavailableException(who + what + " cannot be fetched", e.getCause());
        } finally {
            room.release();
        }
    }

    private void fetchNow() {
        Instant asked = clock.instant();
        Optional<String> failure = Optional.empty();
        try {
            last = Optional.of(new Fetched<>(source.get(), asked));
        } catch (VerificationUnavailableException e) {
            LOG.warn(
                    "{}{} cannot be fetched: {}",
                    Character.toUpperCase(what.charAt(0)),
                    what.substring(1),
                    e.getMessage());
            failure = Optional.of(e.getMessage());
        }
        // Take the time of its end: those who waited for it must not retry in turn.
        attempt = Optional.of(new Attempt(clock.instant(), failure));
    }

    /** Ends its thread. */
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
