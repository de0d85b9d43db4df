// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.pattern;

import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Named;

/** The verifier {@code pattern}: the form of a serial. */
@Part
@Named("pattern")
final class PatternStrategy implements Strategy {

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new PatternVerifier(settings);
    }

    @Override
    public Grade grade(Settings settings) {
        return Grade.IDENTIFIES;
    }

    @Override
    public boolean canBeGenuine() {
        return false;
    }

    @Override
    public boolean looksAtFormOnly() {
        return true;
    }
}
