package io.muster.verification.jwt;

import io.muster.jose.VerificationKey;
import io.muster.spi.VerificationUnavailableException;
import java.util.Optional;

/** Where the key for a token comes from. */
@FunctionalInterface
interface KeySource {

    /**
     * Returns the one key that fits.
     *
     * @return empty if there is certainly none
     * @throws VerificationUnavailableException if that cannot be found out
     */
    Optional<VerificationKey> find(VerificationKey.Algorithm algorithm, Optional<String> kid);
}
