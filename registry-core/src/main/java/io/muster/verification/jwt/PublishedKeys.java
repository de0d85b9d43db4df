package io.muster.verification.jwt;

import io.muster.config.Settings;
import io.muster.jose.JwkSet;
import io.muster.jose.VerificationKey;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.HttpDocument;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The public keys that an address publishes as a JWK set. Fetched when first needed, again when they are old or lack the key that
 * is asked for, and never more often than the refresh interval lets them. While the address does not answer, the last good set
 * holds for a bounded time.
 *
 * <p>A fetch has a thread of its own, and whoever needs it waits for that one; who gives up ends his waiting and not the fetch. While
 * there are keys that hold, half of the questions that the verifier may be asked at once may wait for others, so that the other half
 * is left to devices whose key is known. Thread-safe.
 */
final class PublishedKeys implements KeySource, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PublishedKeys.class);

    /** A set, and when it came. */
    private record Fetched(JwkSet keys, Instant at) {}

    /** A fetch, and whether who asked for it began it. */
    private record Fetch(CompletableFuture<Void> end, boolean begun) {}

    /** An attempt to fetch, and what came of it. */
    private record Attempt(Instant at, Optional<String> failure) {}

    /** As for every verifier that asks somebody else. */
    private static final int AT_ONCE = 16;

    private final String who;
    private final HttpDocument document;
    private final Duration maxAge;
    private final Duration maxStale;
    private final Duration interval;
    private final Clock clock;
    private final Semaphore looking;
    private final ThreadPoolExecutor thread;
    private Optional<CompletableFuture<Void>> underWay = Optional.empty();
    private volatile Optional<Fetched> last = Optional.empty();
    private volatile Optional<Attempt> attempt = Optional.empty();

    /** Reads the settings; connects to nothing. */
    PublishedKeys(String name, Settings settings, Clock clock) {
        this.who = "verifier " + name + ": ";
        this.document = new HttpDocument(name, settings, "jwks-url");
        this.maxAge =
                settings.duration("jwks-max-age", Duration.ofHours(1), Duration.ofSeconds(10), Duration.ofDays(1));
        this.maxStale = settings.duration("jwks-max-stale", Duration.ofHours(6), Duration.ZERO, Duration.ofDays(7));
        this.interval = settings.duration(
                "jwks-refresh-interval", Duration.ofSeconds(10), Duration.ofSeconds(1), Duration.ofMinutes(10));
        this.clock = clock;
        this.looking = new Semaphore(settings.number("max-concurrent", AT_ONCE, 1, 1000) / 2);
        this.thread = new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread made = new Thread(task, "muster-keys-" + name);
            made.setDaemon(true);
            return made;
        });
    }

    @Override
    public Optional<VerificationKey> find(VerificationKey.Algorithm algorithm, Optional<String> kid) {
        if (!isYoungerThan(maxAge)) {
            Fetch fetch = fetch();
            // Whoever has a set that may still be used does not wait for another's fetch.
            if (fetch.begun() || !holds()) {
                await(fetch.end());
            }
        }
        Optional<VerificationKey> found = findInLast(algorithm, kid);
        if (found.isEmpty()) {
            look();
            found = findInLast(algorithm, kid);
        }
        if (found.isEmpty()) {
            // Perhaps it is new, and the address does not say so because it does not answer.
            attempt.flatMap(Attempt::failure).ifPresent(failure -> {
                throw new VerificationUnavailableException(failure);
            });
        }
        return found;
    }

    /** Waits for a fetch, if one may be made or is under way, unless too many wait already. */
    private void look() {
        CompletableFuture<Void> end = fetch().end();
        if (end.isDone()) {
            return;
        }
        if (!looking.tryAcquire()) {
            throw new VerificationUnavailableException(who + "too many tokens at once name a key that is not known");
        }
        try {
            await(end);
        } finally {
            looking.release();
        }
    }

    private boolean holds() {
        return isYoungerThan(maxAge.plus(maxStale));
    }

    private Optional<VerificationKey> findInLast(VerificationKey.Algorithm algorithm, Optional<String> kid) {
        if (!holds()) {
            throw new VerificationUnavailableException(
                    attempt.flatMap(Attempt::failure).orElse(who + "the published keys are too old"));
        }
        return last.flatMap(fetched -> fetched.keys().find(algorithm, kid));
    }

    private boolean isYoungerThan(Duration age) {
        return last.filter(fetched -> isWithin(fetched.at(), age)).isPresent();
    }

    private boolean mayFetch() {
        return attempt.filter(made -> isWithin(made.at(), interval)).isEmpty();
    }

    /** A clock that was set back makes things old, not new for ever. */
    private boolean isWithin(Instant since, Duration age) {
        Duration elapsed = Duration.between(since, clock.instant());
        return !elapsed.isNegative() && elapsed.compareTo(age) < 0;
    }

    /** The fetch that is under way or was begun just now; one that has ended if none may be made. */
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

    private void await(CompletableFuture<Void> end) {
        try {
            end.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VerificationUnavailableException(who + "interrupted");
        } catch (ExecutionException e) {
            throw new VerificationUnavailableException(who + "the published keys cannot be fetched", e.getCause());
        }
    }

    private void fetchNow() {
        Instant asked = clock.instant();
        Optional<String> failure = Optional.empty();
        try {
            last = Optional.of(new Fetched(read(), asked));
        } catch (VerificationUnavailableException e) {
            LOG.warn("The published keys cannot be fetched: {}", e.getMessage());
            failure = Optional.of(e.getMessage());
        }
        // When it ended: those who waited for it must not try in their turn.
        attempt = Optional.of(new Attempt(clock.instant(), failure));
    }

    private JwkSet read() {
        JwkSet.Read read = JwkSet.read(document.fetch());
        if (!read.faults().isEmpty()) {
            throw new VerificationUnavailableException(
                    who + "the published keys are not to be used: " + String.join("; ", read.faults()));
        }
        if (read.keys().hasSecrets()) {
            throw new VerificationUnavailableException(who + "what is published has shared secrets in it");
        }
        if (!read.unusable().isEmpty()) {
            LOG.info("{}some published keys are left out: {}", who, String.join("; ", read.unusable()));
        }
        if (read.keys().isEmpty()) {
            throw new VerificationUnavailableException(who + "no published key can be used");
        }
        return read.keys();
    }

    @Override
    public void close() {
        thread.shutdownNow();
        document.close();
    }
}
