/**
 * The verifier {@code user}: a person vouches for a device and becomes its owner. Start with
 * {@link io.muster.verification.user.UserVerifier}.
 */
package io.muster.verification.user;
