// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.cdi.Later;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.config.Settings;
import io.muster.once.Nonces;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import jakarta.inject.Provider;
import java.net.URI;
import java.time.Clock;

/** The verifier {@code x509}: a certificate of the manufacturer's, and the proof that the device has its key. */
@Part
@Named("x509")
final class X509Strategy implements Strategy {

    private final URI issuer;
    private final Later<Nonces> nonces;
    private final Clock clock;

    @Inject
    X509Strategy(MusterConfig config, Provider<Nonces> nonces, @Ours Clock clock) {
        this.issuer = config.issuer();
        this.nonces = Later.of(nonces);
        this.clock = clock;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new X509Verifier(name, settings, issuer, nonces, clock);
    }

    @Override
    public Grade grade(Settings settings) {
        return Grade.AUTHENTICATES;
    }
}
