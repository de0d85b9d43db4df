// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.jwt;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.net.URI;
import java.time.Clock;

/** The verifier {@code jwt}: a signed token. */
@Part
@Named("jwt")
final class JwtStrategy implements Strategy {

    private final URI issuer;
    private final Clock clock;

    @Inject
    JwtStrategy(MusterConfig config, @Ours Clock clock) {
        this.issuer = config.issuer();
        this.clock = clock;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new JwtVerifier(name, settings, issuer, clock);
    }

    @Override
    public Grade grade(Settings settings) {
        // One token for every device proves nothing about a single one.
        return settings.text("serial-claim", "sub").equals("none") ? Grade.IDENTIFIES : Grade.AUTHENTICATES;
    }

    @Override
    public boolean asksOthers(SerialVerifier made) {
        return ((JwtVerifier) made).asksForKeys();
    }
}
