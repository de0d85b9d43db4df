/**
 * The verifier {@code pattern}: the form of a serial. Start with
 * {@link io.muster.verification.pattern.PatternVerifier}.
 */
package io.muster.verification.pattern;
