// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import io.muster.once.Use;
import io.muster.persistence.DatabaseUnavailableException;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Proof;
import io.muster.verification.Prover;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * Answers what an operator decided about a candidate: genuine, refused, or pending until an operator has decided. Asking
 * puts nobody into the queue: only a registration that waits for nothing but pending answers gets a place in it.
 */
final class ApprovalVerifier implements Prover {

    private final Supplier<ApprovalQueue> queue;
    private final Duration retryAfter;

    /**
     * Looks in the queue.
     *
     * @param retryAfter when a device that waits is to ask again
     */
    ApprovalVerifier(Supplier<ApprovalQueue> queue, Duration retryAfter) {
        this.queue = queue;
        this.retryAfter = retryAfter;
    }

    @Override
    public Proof prove(Candidate candidate) {
        ApprovalQueue.Standing standing;
        try {
            standing = queue.get().standing(candidate);
        } catch (DatabaseUnavailableException e) {
            throw new VerificationUnavailableException("the queue of approvals cannot be read", e);
        }
        return switch (standing) {
            case APPROVED -> new Proof(Verdict.genuine(), List.of(new Use.Approval()));
            case REJECTED -> Proof.of(Verdict.refused("an operator rejected it"));
            case OPEN -> new Proof(Verdict.pending(retryAfter), List.of(new Use.Approval()));
        };
    }
}
