package io.muster.verification;

import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpRequest;

/** How a question is put, and what its reply means. */
sealed interface HttpForm permits HttpApiForm, HttpContractForm {

    /** Returns the question; it is sent a second time as it is if the first attempt fails. */
    HttpRequest question(Candidate candidate);

    /**
     * Returns what a complete reply says.
     *
     * @throws VerificationUnavailableException if it says nothing that was agreed upon
     */
    Verdict verdict(Candidate candidate, HttpReply reply);
}
