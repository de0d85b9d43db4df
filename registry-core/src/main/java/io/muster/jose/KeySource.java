// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import io.muster.spi.VerificationUnavailableException;
import java.util.Optional;

/** The source of the key for a token. */
@FunctionalInterface
public interface KeySource {

    /**
     * Returns the one key that fits.
     *
     * @return empty if there is certainly none
     * @throws VerificationUnavailableException if that cannot be found out
     */
    Optional<VerificationKey> find(VerificationKey.Algorithm algorithm, Optional<String> kid);
}
