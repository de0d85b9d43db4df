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
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The public keys that an address publishes as a JWK set. Fetched when first needed, again when they are old or lack the key that
 * is asked for, and never more often than the refresh interval lets them. While the address does not answer, the last good set
 * holds for a bounded time. Thread-safe.
 */
final class PublishedKeys implements KeySource, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PublishedKeys.class);

    /** A set, and when it came. */
    private record Fetched(JwkSet keys, Instant at) {}

    /** An attempt to fetch, and what came of it. */
    private record Attempt(Instant at, Optional<String> failure) {}

    private final String who;
    private final HttpDocument document;
    private final Duration maxAge;
    private final Duration maxStale;
    private final Duration interval;
    private final Clock clock;
    private final ReentrantLock fetching = new ReentrantLock();
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
    }

    @Override
    public Optional<VerificationKey> find(VerificationKey.Algorithm algorithm, Optional<String> kid) {
        if (!isYoungerThan(maxAge)) {
            // Whoever has a set that may still be used does not wait for another's fetch.
            fetch(!isYoungerThan(maxAge.plus(maxStale)));
        }
        Optional<VerificationKey> found = findInLast(algorithm, kid);
        if (found.isEmpty() && mayFetch()) {
            fetch(true);
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

    private Optional<VerificationKey> findInLast(VerificationKey.Algorithm algorithm, Optional<String> kid) {
        if (!isYoungerThan(maxAge.plus(maxStale))) {
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

    private void fetch(boolean wait) {
        if (wait) {
            fetching.lock();
        } else if (!fetching.tryLock()) {
            return;
        }
        try {
            // Somebody else's fetch may have ended while this one waited.
            if (mayFetch()) {
                fetch();
            }
        } finally {
            fetching.unlock();
        }
    }

    private void fetch() {
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
        document.close();
    }
}
