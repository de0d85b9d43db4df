// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.spi.SerialVerifier;

/**
 * A verifier of the fleet.
 *
 * @param name its name
 * @param skipWhenUnavailable whether the next one is asked when it could not find out
 * @param canBeGenuine whether it can answer genuine
 * @param looksAtFormOnly whether the form of the serial alone decides
 */
public record Step(
        String name,
        SerialVerifier verifier,
        boolean skipWhenUnavailable,
        boolean canBeGenuine,
        boolean looksAtFormOnly) {

    /** A verifier that can answer genuine, and looks at more than the form. */
    public Step(String name, SerialVerifier verifier, boolean skipWhenUnavailable) {
        this(name, verifier, skipWhenUnavailable, true, false);
    }
}
