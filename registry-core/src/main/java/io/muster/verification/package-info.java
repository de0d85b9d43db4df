/**
 * Whether a candidate is genuine. {@link io.muster.verification.VerifierPolicy} is the five rules by which a fleet's verifiers
 * decide together; beside it, one file per strategy.
 */
package io.muster.verification;
