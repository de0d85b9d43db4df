/**
 * Decides whether a candidate is genuine. {@link io.muster.verification.policy.VerifierPolicy} has the six rules by
 * which a fleet's verifiers decide together. Each strategy has a package beside it.
 */
package io.muster.verification;
