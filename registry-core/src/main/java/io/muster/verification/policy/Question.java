// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.device.Storable;
import io.muster.log.RareLog;
import io.muster.plugin.BoundedCalls;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import java.time.Duration;

/**
 * The question to the verifiers of a fleet about one candidate.
 *
 * @param serials how the fleet spells serials
 */
record Question(Candidate candidate, SerialForm serials) {

    private static final RareLog RARE = RareLog.of(VerifierPolicy.class);

    /** Asks one verifier, and returns nothing but a bounded verdict. */
    Proof ask(Step step, Duration left) {
        Proof proof;
        try {
            proof = step.verifier() instanceof BoundedVerifier bounded
                    ? bounded.prove(candidate, serials, left)
                    : ask(step.verifier(), candidate, serials);
        } catch (VerificationUnavailableException e) {
            String who = "verifier " + step.name() + ": ";
            String said = String.valueOf(e.getMessage());
            // Some verifiers name themselves in the message.
            throw new VerificationUnavailableException(said.startsWith(who) ? said : who + said, e);
        } catch (RuntimeException | StackOverflowError e) {
            String failure = e instanceof BoundedCalls.NoResultException
                    ? e.getMessage()
                    : e.getClass().getName();
            // A defect of the verifier proves nothing about the serial. Its message may say anything, so it is not
            // repeated.
            RARE.error("failed " + step.name(), "Verifier {} failed with {}", step.name(), failure);
            throw new VerificationUnavailableException("verifier " + step.name() + " failed with " + failure);
        }
        if (proof == null || proof.verdict() == null) {
            throw new VerificationUnavailableException("verifier " + step.name() + " answered null");
        }
        if (proof.verdict() instanceof Verdict.Genuine genuine) {
            Storable.fault(genuine).ifPresent(fault -> {
                throw new VerificationUnavailableException(
                        "verifier " + step.name() + " knows something of the device that cannot be stored: " + fault);
            });
        }
        return proof;
    }

    static Proof ask(SerialVerifier verifier, Candidate candidate, SerialForm serials) {
        return verifier instanceof Prover prover
                ? prover.prove(candidate, serials)
                : Proof.of(verifier.verify(candidate));
    }
}
