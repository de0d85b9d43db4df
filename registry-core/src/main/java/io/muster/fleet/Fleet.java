package io.muster.fleet;

import io.muster.config.MusterConfig;
import io.muster.verification.VerifierPolicy;

/**
 * Devices under one policy.
 *
 * @param config its rules and its template
 * @param policy its verifiers, as one
 */
public record Fleet(MusterConfig.Fleet config, VerifierPolicy policy) {

    /** Returns its name. */
    public String name() {
        return config.name();
    }
}
