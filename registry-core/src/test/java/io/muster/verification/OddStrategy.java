// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;

/** A strategy that no other class knows: a serial is genuine if its last digit is odd. */
@Part
@Named("odd")
final class OddStrategy implements Strategy {

    private final Clock clock;

    @Inject
    OddStrategy(@Ours Clock clock) {
        this.clock = clock;
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        String tag = settings.text("tag", "seen");
        return candidate -> "13579"
                                .indexOf(candidate
                                        .serial()
                                        .value()
                                        .charAt(candidate.serial().value().length() - 1))
                        < 0
                ? Verdict.unknown()
                : new Verdict.Genuine(
                        Optional.empty(), Map.of(tag, clock.instant().toString()), Map.of());
    }

    @Override
    public Grade grade(Settings settings) {
        return Grade.AUTHENTICATES;
    }
}
