// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.cdi.Later;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import jakarta.inject.Provider;
import java.time.Clock;

/** The verifier {@code database}: the list of expected serials. */
@Part
@Named("database")
final class DatabaseStrategy implements Strategy {

    private final Later<ExpectedSerials> serials;
    private final Clock clock;

    @Inject
    DatabaseStrategy(Provider<ExpectedSerials> serials, @Ours Clock clock) {
        this.serials = Later.of(serials);
        this.clock = clock;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new DatabaseVerifier(serials, clock);
    }

    @Override
    public Grade grade(Settings settings) {
        return Grade.IDENTIFIES;
    }
}
