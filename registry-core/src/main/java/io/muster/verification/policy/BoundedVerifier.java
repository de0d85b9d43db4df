// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.device.Storable;
import io.muster.plugin.BoundedCalls;
import io.muster.plugin.BoundedCalls.NoResultException;
import io.muster.plugin.OwnValues;
import io.muster.plugin.OwnValues.NotOwnException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import java.time.Duration;

/**
 * Keeps a verifier that calls another system from holding the registry's threads. It is asked in {@link BoundedCalls},
 * and its answer is copied there into the registry's own values. So no object of the verifier's classes leaves its
 * thread, and its answer is of bounded length. Thread-safe.
 */
public final class BoundedVerifier implements Prover, AutoCloseable {

    private static final int MOST_OF_A_REASON = 1000;

    private final SerialVerifier verifier;
    private final Duration timeLimit;
    private final BoundedCalls calls;

    /** The verifier's answer in the registry's own values: a proof, or why there is none. */
    private record Answer(Proof proof, String unavailable) {}

    /**
     * Bounds a verifier.
     *
     * @param name its name, for its threads
     * @param atOnce how many questions it may be asked at once
     * @param timeLimit how long to wait for an answer at most
     */
    public BoundedVerifier(String name, SerialVerifier verifier, int atOnce, Duration timeLimit) {
        this.verifier = verifier;
        this.timeLimit = timeLimit;
        this.calls = new BoundedCalls(
                "muster-verifier-" + name, atOnce, verifier.getClass().getClassLoader());
    }

    @Override
    public Proof prove(Candidate candidate) {
        return prove(candidate, SerialForm.EXACT);
    }

    @Override
    public Proof prove(Candidate candidate, SerialForm serials) {
        return prove(candidate, serials, timeLimit);
    }

    /**
     * Asks, and waits for its own time limit or the given one, whichever is shorter.
     *
     * @return null if it answered null
     * @throws VerificationUnavailableException if it could not find out, if there is no answer in time, or if it has no
     *     room for another question
     * @throws NoResultException if it failed; the message is the class of what it threw
     */
    Proof prove(Candidate candidate, SerialForm serials, Duration atMost) {
        Answer answer;
        try {
            answer = calls.call(() -> answer(candidate, serials), atMost.compareTo(timeLimit) < 0 ? atMost : timeLimit);
        } catch (NoResultException e) {
            if (e.failed()) {
                throw e;
            }
            throw new VerificationUnavailableException(
                    e.getMessage().startsWith("too many") ? e.getMessage() + "; see max-concurrent" : e.getMessage());
        }
        if (answer.unavailable != null) {
            throw new VerificationUnavailableException(answer.unavailable);
        }
        return answer.proof;
    }

    /** Asks, on a thread of the verifier's. */
    private Answer answer(Candidate candidate, SerialForm serials) {
        Proof proof;
        try {
            proof = Question.ask(verifier, candidate, serials);
        } catch (VerificationUnavailableException e) {
            return new Answer(null, OwnValues.message(e));
        }
        if (proof == null || proof.verdict() == null) {
            return new Answer(null, null);
        }
        try {
            return new Answer(new Proof(own(proof.verdict()), proof.uses(), proof.owner()), null);
        } catch (NotOwnException e) {
            return new Answer(null, "knows something of the device that cannot be stored: " + e.getMessage());
        }
    }

    private static Verdict own(Verdict verdict) {
        if (verdict instanceof Verdict.Refused no) {
            return Verdict.refused(OwnValues.cut(no.reason(), MOST_OF_A_REASON));
        }
        if (verdict instanceof Verdict.Genuine genuine) {
            return new Verdict.Genuine(
                    genuine.name().map(name -> OwnValues.text("name", name)),
                    OwnValues.texts("tags", genuine.tags(), Storable.MAX_MEMBERS),
                    OwnValues.values("attributes", genuine.attributes(), Storable.MAX_MEMBERS));
        }
        return verdict instanceof Verdict.Pending ? verdict : Verdict.unknown();
    }

    /** Returns the verifier that is bounded. */
    SerialVerifier verifier() {
        return verifier;
    }

    /** Ends its threads. Questions under way are interrupted. */
    @Override
    public void close() {
        calls.close();
    }
}
