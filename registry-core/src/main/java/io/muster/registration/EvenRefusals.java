// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleet;
import io.muster.limit.LateAnswers;
import io.muster.limit.UsualTime;
import io.muster.problem.RegistryException;
import io.muster.spi.Verdict;
import io.muster.verification.policy.VerifierPolicy;
import io.muster.verification.policy.VerifierPolicy.Outcome;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/**
 * Decides when a refusal is answered, so that its timing does not tell why the registration was refused.
 *
 * <p>Refusals are decided at different places: before the verifiers were asked, after one of them, after all, or only
 * after the transaction in which the serial turned out to be taken. All are answered when the longest way is usually
 * over. That is the usual time of all verifiers of the fleet plus that of the transaction, as measured lately on this
 * node. A random delay of up to half as much again hides the remaining differences. Waiting holds no thread of the
 * server. Thread-safe; closed once, at the end.
 */
@Part
public final class EvenRefusals implements AutoCloseable {

    /** How many may wait at once. Each of them holds a connection, and what the server keeps of a request. */
    static final int MOST_WAITING = LateAnswers.MOST_WAITING;

    /** The time presumed for a transaction on a node that has not done enough of them lately. */
    static final Duration PRESUMED_ENROLMENT = Duration.ofMillis(250);

    /** The time presumed for a verifier that calls another system, if too few calls were measured lately. */
    static final Duration PRESUMED_QUESTION = Duration.ofSeconds(1);

    private final long floor;
    private final LongSupplier nanos;
    private final LongUnaryOperator chance;
    private final UsualTime firsts;
    private final UsualTime repeats;
    private final Map<String, Questions> questions = new ConcurrentHashMap<>();
    private final LateAnswers answers = new LateAnswers("muster-refused");

    /**
     * Begins with nothing measured.
     *
     * @param config has the time before which no refusal is answered
     */
    @Inject
    public EvenRefusals(MusterConfig config) {
        this(config.registration().refusedAfter(), System::nanoTime, bound -> ThreadLocalRandom.current()
                .nextLong(bound));
    }

    /**
     * Begins with nothing measured.
     *
     * @param nanos a monotonic clock
     * @param chance returns a random number below its argument
     */
    EvenRefusals(Duration floor, LongSupplier nanos, LongUnaryOperator chance) {
        this.floor = floor.toNanos();
        this.nanos = nanos;
        this.chance = chance;
        this.firsts = new UsualTime(nanos);
        this.repeats = new UsualTime(nanos);
    }

    /** The times of a fleet's verifiers, until its policy changes. */
    private static final class Questions {

        private final VerifierPolicy policy;
        private final UsualTime genuine;
        private final UsualTime others;

        Questions(VerifierPolicy policy, LongSupplier nanos) {
            this.policy = policy;
            this.genuine = new UsualTime(nanos);
            this.others = new UsualTime(nanos);
        }

        void add(Outcome decided, long took) {
            if (decided.proof().verdict() instanceof Verdict.Genuine) {
                // Count it only if no remembered answer took part. Verifiers after the decision are not asked for a
                // genuine serial.
                if (decided.asked()) {
                    genuine.add(took);
                }
            } else if (decided.complete()) {
                others.add(took);
            }
        }

        /** Returns the longer of both: an API may take longer for the serials that it knows. */
        long usual() {
            long presumed = policy.asksOthers() ? PRESUMED_QUESTION.toNanos() : 0;
            long known = genuine.orPresumed(0);
            return Math.max(known, others.orPresumed(known > 0 ? 0 : presumed));
        }
    }

    /** Begins to measure one registration. Call it when the body has arrived, and before anything is done with it. */
    public Watch watch() {
        return new Watch();
    }

    /** The time of one registration. Not thread-safe. */
    public final class Watch {

        private final long began = nanos.getAsLong();
        private Fleet fleet;
        private long questioned = began;
        private long decided = began;

        private Watch() {}

        /** The verifiers of the fleet will be asked now, or would be if the request were not refused already. */
        void questions(Fleet asked) {
            fleet = asked;
            questioned = nanos.getAsLong();
        }

        /** The verifiers have decided. */
        void decided(Outcome decision) {
            decided = nanos.getAsLong();
            of(fleet).add(decision, decided - questioned);
        }

        /**
         * The transaction has ended.
         *
         * @param repeat whether the serial was a device already
         */
        void enrolled(boolean repeat) {
            (repeat ? repeats : firsts).add(nanos.getAsLong() - decided);
        }

        /** Returns when a refusal is to be answered, in nanoseconds after the beginning. */
        long due() {
            long least = byChance(floor);
            if (fleet == null) {
                return least;
            }
            long usual = byChance(of(fleet).usual() + enrolment());
            long budget = fleet.policy().timeBudget().toNanos();
            return Math.max(least, questioned - began + Math.min(usual, budget));
        }

        private long byChance(long nanoseconds) {
            return nanoseconds + chance.applyAsLong(nanoseconds / 2 + 1);
        }

        /**
         * Returns the answer when it is due.
         *
         * @throws RegistryException {@code VERIFICATION_UNAVAILABLE} if too many wait already, whatever the reason of
         *     the refusal
         */
        public <T> CompletionStage<T> answer(T refusal) {
            return answers.answer(refusal, began + due() - nanos.getAsLong());
        }
    }

    private Questions of(Fleet fleet) {
        Questions there = questions.get(fleet.name());
        if (there != null && there.policy == fleet.policy()) {
            return there;
        }
        return questions.compute(
                fleet.name(),
                (name, known) ->
                        known != null && known.policy == fleet.policy() ? known : new Questions(fleet.policy(), nanos));
    }

    /**
     * A serial that is taken costs two transactions: the one that finds it taken, and the one that looks at the device.
     */
    private long enrolment() {
        long first = firsts.orPresumed(0);
        return Math.max(first, repeats.orPresumed(Math.max(PRESUMED_ENROLMENT.toNanos(), 2 * first)));
    }

    /** Accepts no more refusals. Those that wait are still answered when they are due. */
    @Override
    public void close() {
        answers.close();
    }
}
