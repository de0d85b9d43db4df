// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import io.muster.http.Reply;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpRequest;

/** How to ask a question, and how to read the reply. */
sealed interface Form permits ApiForm, ContractForm {

    /** Returns the question. If the first attempt fails, the same one is sent again. */
    HttpRequest question(Candidate candidate);

    /**
     * Returns the verdict of a complete reply.
     *
     * @throws VerificationUnavailableException if the reply has no agreed meaning
     */
    Verdict verdict(Candidate candidate, Reply reply);
}
