// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.jose.PublicJwk;
import io.muster.spi.Candidate;
import java.util.Optional;

/**
 * A registration as a device asks for it.
 *
 * @param candidate the device that asks; its public key is empty, since nothing is proved yet
 * @param offered the key that it wants to keep the private half of
 * @param seal how its reply is to be sealed
 * @param presented the device whose credential came with the request, if that credential is good
 */
public record RegistrationAttempt(
        Candidate candidate, Optional<OfferedKey> offered, Optional<Seal> seal, Optional<CredentialProof> presented) {

    /**
     * A public key, and the proof that the device has its private half.
     *
     * @param key the key
     * @param proof a compact JWS, not checked yet
     */
    public record OfferedKey(PublicJwk key, String proof) {}

    /**
     * The name of an attempt, and the key of the reader of its reply.
     *
     * @param requestId the device's name for it
     * @param reader a key of P-256, made for this attempt
     */
    public record Seal(String requestId, PublicJwk reader) {}

    /** Asks only for a secret. */
    public static RegistrationAttempt of(Candidate candidate) {
        return new RegistrationAttempt(candidate, Optional.empty(), Optional.empty(), Optional.empty());
    }
}
