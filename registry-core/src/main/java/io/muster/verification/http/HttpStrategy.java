// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.time.Clock;

/** The verifier {@code http}: an API of the manufacturer's. */
@Part
@Named("http")
final class HttpStrategy implements Strategy {

    private final Clock clock;

    @Inject
    HttpStrategy(@Ours Clock clock) {
        this.clock = clock;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new HttpVerifier(name, settings, clock);
    }

    @Override
    public boolean asksOthers(SerialVerifier made) {
        return true;
    }
}
