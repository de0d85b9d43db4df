/** How a fleet's verifiers decide together. Start with {@link io.muster.verification.policy.VerifierPolicy}. */
package io.muster.verification.policy;
