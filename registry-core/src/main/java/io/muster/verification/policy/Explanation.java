// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.once.Use;
import io.muster.spi.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The decision that a registration would get.
 *
 * @param answers of every verifier, also of those that a registration would no longer ask
 * @param decision {@code genuine}, {@code refused}, {@code pending} or {@code unavailable}
 * @param rule the number of the rule that decides, 2 to 6
 * @param reason why
 * @param uses the proofs that an admission would use up
 */
public record Explanation(List<Answer> answers, String decision, int rule, String reason, List<Use> uses) {

    /**
     * The answer of one of the fleet's verifiers when an operator asks.
     *
     * @param verifier its name
     * @param shadow whether it is a shadow, which decides nothing
     * @param verdict {@code genuine}, {@code refused}, {@code unknown}, {@code pending} or {@code unavailable}
     * @param reason why, where it is refused or unavailable; else empty
     * @param took how long it took
     * @param known the verifier's knowledge of a genuine serial; else empty
     */
    public record Answer(
            String verifier,
            boolean shadow,
            String verdict,
            String reason,
            Duration took,
            Optional<Verdict.Genuine> known) {}
}
