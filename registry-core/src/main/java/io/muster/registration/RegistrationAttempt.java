package io.muster.registration;

import io.muster.jose.PublicJwk;
import io.muster.spi.Candidate;
import java.util.Optional;

/**
 * A registration as a device asks for it.
 *
 * @param candidate who asks; its public key is empty, since nothing is proved yet
 * @param offered the key that it wants to keep the private half of
 * @param seal how its reply is to be sealed
 * @param presented the device whose credential came with the request, if one did that is good
 */
public record RegistrationAttempt(
        Candidate candidate, Optional<OfferedKey> offered, Optional<Seal> seal, Optional<Presented> presented) {

    /**
     * A public key and what is to prove that the device has its private half.
     *
     * @param key the key
     * @param proof a compact JWS, not looked at yet
     */
    public record OfferedKey(PublicJwk key, String proof) {}

    /**
     * Names an attempt, and who can read its reply.
     *
     * @param requestId the device's name for it
     * @param reader a key of P-256, made for this attempt
     */
    public record Seal(String requestId, PublicJwk reader) {}

    /** Asks for a secret, and for nothing else. */
    public static RegistrationAttempt of(Candidate candidate) {
        return new RegistrationAttempt(candidate, Optional.empty(), Optional.empty(), Optional.empty());
    }
}
