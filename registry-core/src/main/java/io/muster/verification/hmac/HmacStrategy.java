// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

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

/** The verifier {@code hmac}: evidence that a factory derives from an enrolment key. */
@Part
@Named("hmac")
final class HmacStrategy implements Strategy {

    private final Later<EnrolmentKeys> keys;
    private final Clock clock;

    @Inject
    HmacStrategy(Provider<EnrolmentKeys> keys, @Ours Clock clock) {
        this.keys = Later.of(keys);
        this.clock = clock;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new HmacVerifier(settings, keys, clock);
    }

    @Override
    public Grade grade(Settings settings) {
        return Grade.AUTHENTICATES;
    }
}
