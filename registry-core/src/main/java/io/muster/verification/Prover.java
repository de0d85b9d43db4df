// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;

/**
 * A built-in verifier that uses something up when it says <em>genuine</em>, such as a token, a nonce or one of the uses
 * of a key. Also one that must know how the fleet spells serials.
 */
public interface Prover extends SerialVerifier {

    /** Answers as {@link #verify} does, and names what an admission must use up. Uses nothing up itself. */
    Proof prove(Candidate candidate);

    /**
     * Answers as {@link #prove(Candidate)} does, for a fleet with such serials.
     *
     * @param serials how the fleet spells the serials in evidence and lists; the candidate's serial is in this form
     *     already
     */
    default Proof prove(Candidate candidate, SerialForm serials) {
        return prove(candidate);
    }

    @Override
    default Verdict verify(Candidate candidate) {
        return prove(candidate).verdict();
    }
}
