// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.log.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a fleet's verifiers decide together. The rules in full:
 *
 * <ol>
 *   <li>They are asked in order.
 *   <li><em>Refused</em> is final, whichever verifier says it.
 *   <li>A verifier that could not find out ends the questioning, unless it is configured to be skipped.
 *   <li>Enough <em>genuine</em> answers admit, and end the questioning.
 *   <li>The end of the list without enough of them refuses.
 *   <li><em>Pending</em> counts for nothing. But if there would be enough genuine answers if every pending one were
 *       genuine, the end of the list does not refuse: the device is told to ask again.
 * </ol>
 *
 * <p>Thread-safe.
 */
public final class VerifierPolicy implements Prover {

    private static final Logger LOG = LoggerFactory.getLogger(VerifierPolicy.class);
    private static final RareLog RARE = RareLog.of(VerifierPolicy.class);

    /**
     * The decision.
     *
     * @param proof as of {@link #prove}
     * @param complete whether every verifier was asked just now, so that the duration does not reveal which one refused
     * @param asked whether no remembered answer was used, so that the duration is that of real questions
     * @param said the answer of each verifier that was asked
     */
    public record Outcome(Proof proof, boolean complete, boolean asked, List<Said> said) {}

    /** Is told of each answer, on the thread that asked. Must be immediate. */
    @FunctionalInterface
    interface Watch {

        /**
         * Takes an answer.
         *
         * @param outcome {@code genuine}, {@code refused}, {@code unknown}, {@code pending} or {@code unavailable}
         */
        void answered(String verifier, String outcome, long nanos);
    }

    /** Asks one verifier, and waits no longer than the time left. */
    @FunctionalInterface
    private interface Asking {
        Proof ask(Step step, Duration left);
    }

    private final List<Step> steps;
    private final List<Step> shadows;
    private final Rules rules;
    private final SerialForm serials;
    private final Function<String, Executor> aside;
    private final LongSupplier nanos;
    private final RememberedAnswers remembered;
    private final Watch watch;

    /**
     * Asks in the order of the steps until the required number, at least one, said genuine. Remembers nothing, and has
     * no shadows.
     */
    VerifierPolicy(List<Step> steps, int required) {
        this(
                steps,
                List.of(),
                Rules.of(steps.stream().map(Step::name).toList(), required),
                SerialForm.EXACT,
                shadow -> Runnable::run,
                Clock.fixed(Instant.EPOCH, ZoneOffset.UTC),
                System::nanoTime,
                (verifier, outcome, nanos) -> {});
    }

    /**
     * Decides by the rules.
     *
     * @param steps the verifiers that the rules name, in their order
     * @param shadows those of the rules' shadow list
     * @param serials how the fleet spells serials
     * @param aside gives the executor for the shadow of a name; it may reject the task
     * @param clock measures the age of a remembered answer
     * @param nanos measures the time budget
     * @param watch is told of each answer that a decision asked for, except remembered ones
     */
    VerifierPolicy(
            List<Step> steps,
            List<Step> shadows,
            Rules rules,
            SerialForm serials,
            Function<String, Executor> aside,
            Clock clock,
            LongSupplier nanos,
            Watch watch) {
        if (rules.required() < 1) {
            throw new IllegalArgumentException("at least one verifier must say genuine");
        }
        this.steps = List.copyOf(steps);
        this.shadows = List.copyOf(shadows);
        this.rules = rules;
        this.serials = serials;
        this.aside = aside;
        this.nanos = nanos;
        this.watch = watch;
        this.remembered = new RememberedAnswers(rules.cache(), clock);
    }

    /**
     * Returns why one of the verifiers refuses this serial for its form alone, whatever its evidence and whatever is
     * listed; empty if none does. Asks only verifiers of the type {@code pattern} that every registration reaches. So
     * this is quick and calls no other system.
     */
    public Optional<String> refusalOfForm(String fleet, SerialNumber serial) {
        int genuine = 0;
        for (Step step : steps) {
            if (genuine == rules.required()) {
                // The verifiers before this one can admit without it.
                return Optional.empty();
            }
            if (step.looksAtFormOnly()) {
                Verdict verdict = step.verifier().verify(Candidate.of(serial, fleet, step.name()));
                if (verdict instanceof Verdict.Refused refused) {
                    return Optional.of(refused.reason() + " (verifier " + step.name() + ")");
                }
            } else if (step.canBeGenuine()) {
                genuine++;
            }
        }
        return Optional.empty();
    }

    /**
     * Decides.
     *
     * @return genuine with everything that the verifiers which said genuine know and use up, refused with the reason, or
     *     pending; never unknown
     * @throws VerificationUnavailableException if a verifier that may not be skipped could not find out, or the time
     *     budget is used up
     */
    @Override
    public Proof prove(Candidate candidate) {
        return decide(candidate).proof();
    }

    /** Decides as {@link #prove} does, and tells whether every verifier was asked. */
    public Outcome decide(Candidate candidate) {
        int[] asked = {0};
        int[] answers = {0};
        Decision decision = decide((step, left) -> {
            answers[0]++;
            return remembered.get(step, candidate, () -> {
                asked[0]++;
                return watched(step, candidate, left);
            });
        });
        return new Outcome(decision.proof(), asked[0] == steps.size(), asked[0] == answers[0], decision.said());
    }

    private Proof watched(Step step, Candidate candidate, Duration left) {
        long started = System.nanoTime();
        String outcome = "unavailable";
        try {
            Proof proof = new Question(candidate, serials).ask(step, left);
            outcome = Said.word(proof.verdict());
            return proof;
        } finally {
            watch.answered(step.name(), outcome, System.nanoTime() - started);
        }
    }

    /** Tells whether one of the verifiers calls another system, which may take longer than this registry. */
    public boolean asksOthers() {
        return steps.stream().anyMatch(step -> step.verifier() instanceof BoundedVerifier);
    }

    /** Returns how long the whole questioning may take. */
    public Duration timeBudget() {
        return rules.timeBudget();
    }

    /** Applies the six rules and the time budget; used by decisions and explanations. */
    private Decision decide(Asking asking) {
        long deadline = nanos.getAsLong() + rules.timeBudget().toNanos();
        Decision decision = new Decision(rules);
        for (Step step : steps) {
            Duration left = Duration.ofNanos(deadline - nanos.getAsLong());
            if (left.isNegative() || left.isZero()) {
                // This holds even if the verifier may be skipped: it was not asked, so it has not answered.
                decision.budgetUsedUp();
                break;
            }
            try {
                decision.take(step, asking.ask(step, left));
            } catch (VerificationUnavailableException e) {
                decision.unavailable(step, e);
            }
            if (!decision.isUnavailable() && nanos.getAsLong() - deadline >= 0) {
                // This holds even if the verifier may be skipped, and for every answer: one that came too late admits
                // no device.
                decision.budgetUsedUp();
            }
            if (decision.isMade()) {
                break;
            }
        }
        return decision;
    }

    /** Asks the shadows on another thread, and reports every one whose answer differs from the decision. */
    public void shadow(Candidate candidate, Verdict decided, BiConsumer<String, String> disagreement) {
        for (Step step : shadows) {
            try {
                aside.apply(step.name()).execute(() -> compare(step, candidate, decided, disagreement));
            } catch (RejectedExecutionException e) {
                LOG.debug("Too much to do for shadow {}", step.name());
            }
        }
    }

    private void compare(Step step, Candidate candidate, Verdict decided, BiConsumer<String, String> disagreement) {
        Verdict verdict;
        try {
            verdict = new Question(candidate, serials)
                    .ask(step, rules.timeBudget())
                    .verdict();
        } catch (VerificationUnavailableException e) {
            RARE.info("shadow " + step.name(), "Shadow {} could not find out: {}", step.name(), e.getMessage());
            return;
        }
        if (verdict instanceof Verdict.Pending) {
            // Nobody can say yet whether it disagrees.
            return;
        }
        boolean admitted = decided instanceof Verdict.Genuine;
        if (admitted != verdict instanceof Verdict.Genuine) {
            disagreement.accept(
                    step.name(),
                    "says " + Said.word(verdict)
                            + (verdict instanceof Verdict.Refused no ? " (" + no.reason() + ")" : "") + ", decided was "
                            + Said.word(decided));
        }
    }

    /**
     * Asks every verifier now, without remembered answers, and tells what the decision would be and why. Changes
     * nothing.
     */
    public Explanation explain(Candidate candidate) {
        List<Explanation.Answer> answers = new ArrayList<>();
        Decision decision = decide((step, left) -> answered(step, false, candidate, left, answers));
        // Verifiers after the decision get the whole time budget: their answers are information only.
        List<Step> others = steps.subList(answers.size(), steps.size());
        others.forEach(step -> inform(step, false, candidate, answers));
        shadows.forEach(step -> inform(step, true, candidate, answers));
        try {
            Proof proof = decision.proof();
            return new Explanation(
                    answers,
                    Said.word(proof.verdict()),
                    decision.rule(),
                    proof.verdict() instanceof Verdict.Refused no ? no.reason() : decision.inWords(),
                    proof.verdict() instanceof Verdict.Genuine ? proof.uses() : List.of());
        } catch (VerificationUnavailableException e) {
            return new Explanation(answers, "unavailable", decision.rule(), e.getMessage(), List.of());
        }
    }

    private void inform(Step step, boolean shadow, Candidate candidate, List<Explanation.Answer> answers) {
        try {
            answered(step, shadow, candidate, rules.timeBudget(), answers);
        } catch (VerificationUnavailableException e) {
            LOG.debug("Verifier {} could not find out", step.name());
        }
    }

    private Proof answered(
            Step step, boolean shadow, Candidate candidate, Duration left, List<Explanation.Answer> answers) {
        long started = nanos.getAsLong();
        try {
            Proof proof = new Question(candidate, serials).ask(step, left);
            answers.add(answer(step, shadow, proof.verdict(), started));
            return proof;
        } catch (VerificationUnavailableException e) {
            answers.add(unavailable(step, shadow, e, started));
            throw e;
        }
    }

    private Explanation.Answer answer(Step step, boolean shadow, Verdict verdict, long started) {
        return new Explanation.Answer(
                step.name(),
                shadow,
                Said.word(verdict),
                verdict instanceof Verdict.Refused no ? no.reason() : "",
                Duration.ofNanos(nanos.getAsLong() - started),
                verdict instanceof Verdict.Genuine genuine ? Optional.of(genuine) : Optional.empty());
    }

    private Explanation.Answer unavailable(
            Step step, boolean shadow, VerificationUnavailableException e, long started) {
        return new Explanation.Answer(
                step.name(),
                shadow,
                "unavailable",
                e.getMessage(),
                Duration.ofNanos(nanos.getAsLong() - started),
                Optional.empty());
    }
}
