package io.muster.verification;

import java.time.Duration;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * How long the last refusals took for which every verifier was asked, so that a refusal that was decided sooner can take as long as
 * one of them. Thread-safe.
 */
final class RefusalTimes {

    /** How many are kept. */
    static final int KEPT = 64;

    private final Duration[] last = new Duration[KEPT];
    private long added;

    synchronized void add(Duration took) {
        last[(int) (added++ % KEPT)] = took;
    }

    /**
     * Returns one of them, or empty if there is none yet.
     *
     * @param chance returns a number below the one it is given, by chance
     */
    synchronized Optional<Duration> any(IntUnaryOperator chance) {
        int kept = (int) Math.min(added, KEPT);
        return kept == 0 ? Optional.empty() : Optional.of(last[chance.applyAsInt(kept)]);
    }
}
