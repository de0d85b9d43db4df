// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.spi.Verdict;

/**
 * The answer of one verifier about a candidate, for operators.
 *
 * @param verifier its name
 * @param verdict {@code genuine}, {@code refused}, {@code unknown}, {@code pending} or {@code unavailable}
 * @param reason why, where it is refused or unavailable; else empty
 */
public record Said(String verifier, String verdict, String reason) {

    static Said of(Step step, Verdict verdict) {
        return new Said(step.name(), word(verdict), verdict instanceof Verdict.Refused no ? no.reason() : "");
    }

    static Said unavailable(Step step, String reason) {
        return new Said(step.name(), "unavailable", reason);
    }

    /** Tells whether the verifier refused the candidate. */
    public boolean isRefusal() {
        return verdict.equals("refused");
    }

    /** Returns the word for a verdict. */
    static String word(Verdict verdict) {
        if (verdict instanceof Verdict.Genuine) {
            return "genuine";
        }
        if (verdict instanceof Verdict.Pending) {
            return "pending";
        }
        return verdict instanceof Verdict.Refused ? "refused" : "unknown";
    }
}
