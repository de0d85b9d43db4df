package io.muster.verification;

import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;

/** A built-in verifier whose <em>genuine</em> uses something up: a token, a nonce, one of the uses of a key. */
public interface Prover extends SerialVerifier {

    /** Answers as {@link #verify} does, and names what an admission must use up. Uses nothing up itself. */
    Proof prove(Candidate candidate);

    @Override
    default Verdict verify(Candidate candidate) {
        return prove(candidate).verdict();
    }
}
