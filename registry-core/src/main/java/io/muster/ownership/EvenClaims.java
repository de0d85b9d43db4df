// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.limit.LateAnswers;
import io.muster.limit.UsualTime;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/**
 * Decides when a refused claim is answered, so that its timing does not tell why it was refused. A claim of something
 * unknown ends at the first look, and one of a device with an owner only in its transaction. All are answered when the
 * transaction is usually over, as measured lately on this node, and after a random delay of up to half as much again.
 * Thread-safe; closed once, at the end.
 */
@Part
public final class EvenClaims implements AutoCloseable {

    /** The time presumed for a claim on a node that has not decided enough of them lately. */
    static final Duration PRESUMED = Duration.ofMillis(250);

    private final long floor;
    private final LongSupplier nanos;
    private final LongUnaryOperator chance;
    private final UsualTime decisions;
    private final LateAnswers answers = new LateAnswers("muster-claims");

    /**
     * Begins with nothing measured.
     *
     * @param config has the time before which no refusal is answered
     */
    @Inject
    public EvenClaims(MusterConfig config) {
        this(config.registration().refusedAfter(), System::nanoTime, bound -> ThreadLocalRandom.current()
                .nextLong(bound));
    }

    EvenClaims(Duration floor, LongSupplier nanos, LongUnaryOperator chance) {
        this.floor = floor.toNanos();
        this.nanos = nanos;
        this.chance = chance;
        this.decisions = new UsualTime(nanos);
    }

    /** Begins to measure one claim. Call it when the body has arrived. */
    public Watch watch() {
        return new Watch();
    }

    /** The time of one claim. Not thread-safe. */
    public final class Watch {

        private final long began = nanos.getAsLong();

        private Watch() {}

        /** The transaction has decided. */
        void decided() {
            decisions.add(nanos.getAsLong() - began);
        }

        /** Returns when a refusal is to be answered, in nanoseconds after the beginning. */
        long due() {
            long least = Math.max(floor, decisions.orPresumed(PRESUMED.toNanos()));
            return least + chance.applyAsLong(least / 2 + 1);
        }

        /**
         * Returns the answer when it is due.
         *
         * @throws io.muster.problem.RegistryException {@code VERIFICATION_UNAVAILABLE} if too many wait already
         */
        public <T> CompletionStage<T> answer(T refusal) {
            return answers.answer(refusal, began + due() - nanos.getAsLong());
        }
    }

    /** Accepts no more refusals. Those that wait are still answered when they are due. */
    @Override
    public void close() {
        answers.close();
    }
}
