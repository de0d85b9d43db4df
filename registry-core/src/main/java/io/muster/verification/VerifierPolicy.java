package io.muster.verification;

import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a fleet's verifiers decide together. In full: (1) they are asked in order; (2) <em>refused</em> is final, whoever says
 * it; (3) a verifier that could not find out ends the questioning, unless it is configured to be skipped; (4) enough
 * <em>genuine</em> answers admit, and end the questioning; (5) the end of the list without enough of them refuses. Thread-safe.
 */
public final class VerifierPolicy implements Prover {

    /** How many tags a verifier may know. */
    public static final int MAX_TAGS = 100;
    /** How many attributes a verifier may know. */
    public static final int MAX_ATTRIBUTES = 100;

    private static final int MAX_NAME = 200;
    private static final int MAX_KEY = 64;
    private static final int MAX_TAG = 256;
    private static final int MAX_ATTRIBUTE = 1000;
    private static final Logger LOG = LoggerFactory.getLogger(VerifierPolicy.class);

    /**
     * A verifier of the fleet.
     *
     * @param name its name
     * @param skipWhenUnavailable whether the next one is asked when it could not find out
     */
    public record Step(String name, SerialVerifier verifier, boolean skipWhenUnavailable) {}

    private final List<Step> steps;
    private final int required;

    /** Asks in the order of the steps until so many of them said genuine; at least one must. */
    public VerifierPolicy(List<Step> steps, int required) {
        if (required < 1) {
            throw new IllegalArgumentException("at least one verifier must say genuine");
        }
        this.steps = List.copyOf(steps);
        this.required = required;
    }

    /**
     * Decides.
     *
     * @return genuine with everything the verifiers that said so know and use up, or refused with the reason; never unknown
     * @throws VerificationUnavailableException if a verifier that may not be skipped could not find out
     */
    @Override
    public Proof prove(Candidate candidate) {
        Known known = new Known();
        for (Step step : steps) {
            Proof proof;
            try {
                proof = ask(step, candidate);
            } catch (VerificationUnavailableException e) {
                if (step.skipWhenUnavailable()) {
                    LOG.warn("Verifier {} could not find out and is skipped: {}", step.name(), e.getMessage());
                    continue;
                }
                throw e;
            }
            if (proof.verdict() instanceof Verdict.Refused refused) {
                return Proof.of(Verdict.refused(step.name() + ": " + refused.reason()));
            }
            if (proof.verdict() instanceof Verdict.Genuine genuine && known.add(genuine, proof.uses()) == required) {
                return known.proof();
            }
        }
        return Proof.of(Verdict.refused(
                known.count == 0
                        ? "no verifier calls it genuine"
                        : "only " + known.count + " of " + required + " verifiers call it genuine"));
    }

    private static Proof ask(Step step, Candidate candidate) {
        Proof proof;
        try {
            proof = step.verifier() instanceof Prover prover
                    ? prover.prove(candidate)
                    : Proof.of(step.verifier().verify(candidate));
        } catch (VerificationUnavailableException e) {
            throw new VerificationUnavailableException("verifier " + step.name() + ": " + e.getMessage(), e);
        } catch (RuntimeException | StackOverflowError e) {
            // A defect of the verifier proves nothing about the serial. Its message may say anything, so it is not
            // repeated.
            LOG.error("Verifier {} failed with {}", step.name(), e.getClass().getName());
            throw new VerificationUnavailableException(
                    "verifier " + step.name() + " failed with " + e.getClass().getName());
        }
        if (proof.verdict() == null) {
            throw new VerificationUnavailableException("verifier " + step.name() + " answered null");
        }
        if (proof.verdict() instanceof Verdict.Genuine genuine && !isBounded(genuine)) {
            throw new VerificationUnavailableException(
                    "verifier " + step.name() + " knows more of the device than can be stored");
        }
        return proof;
    }

    private static boolean isBounded(Verdict.Genuine genuine) {
        return genuine.name().map(String::length).orElse(0) <= MAX_NAME
                && genuine.tags().size() <= MAX_TAGS
                && genuine.attributes().size() <= MAX_ATTRIBUTES
                && genuine.tags().entrySet().stream()
                        .allMatch(tag -> tag.getKey().length() <= MAX_KEY
                                && tag.getValue().length() <= MAX_TAG)
                && genuine.attributes().entrySet().stream()
                        .allMatch(attribute -> attribute.getKey().length() <= MAX_KEY
                                && attribute.getValue().toString().length() <= MAX_ATTRIBUTE);
    }

    /** What the verifiers know together; the first in the fleet's order holds. */
    private static final class Known {

        private int count;
        private Optional<String> name = Optional.empty();
        private final List<Use> uses = new ArrayList<>();
        private final Map<String, String> tags = new HashMap<>();
        private final Map<String, Object> attributes = new HashMap<>();

        int add(Verdict.Genuine genuine, List<Use> using) {
            uses.addAll(using);
            name = name.or(genuine::name);
            genuine.tags().forEach(tags::putIfAbsent);
            genuine.attributes().forEach(attributes::putIfAbsent);
            return ++count;
        }

        Proof proof() {
            return new Proof(new Verdict.Genuine(name, tags, attributes), List.copyOf(uses));
        }
    }
}
