// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import io.muster.cdi.Later;
import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import jakarta.inject.Provider;
import java.time.Duration;

/** The verifier {@code approval}: an operator decides. */
@Part
@Named("approval")
final class ApprovalStrategy implements Strategy {

    private final Later<ApprovalQueue> queue;

    @Inject
    ApprovalStrategy(Provider<ApprovalQueue> queue) {
        this.queue = Later.of(queue);
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        return new ApprovalVerifier(
                queue,
                settings.duration("retry-after", Duration.ofMinutes(1), Duration.ofSeconds(1), Duration.ofDays(1)));
    }
}
