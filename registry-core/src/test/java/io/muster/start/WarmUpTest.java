// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.device.DeviceStore;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class WarmUpTest {

    @Tag("extended")
    @Test
    void devicesRegisterInMemoryForAsLongAsItMayTake() {
        assertThat(WarmUp.run(TestNode.container().select(), Duration.ofSeconds(10), Clock.systemUTC(), () -> {}))
                .isPositive();
        assertThat(WarmUp.run(TestNode.container().select(), Duration.ZERO, Clock.systemUTC(), () -> {}))
                .isZero();
    }

    @Test
    void registryIsReadyWhenItIsWarmAndItsDatabaseKnowsNothingOfIt() {
        try (TestNode registry = TestRegistry.fresh()
                .with("muster.warm-up", "PT1S")
                .with(Clock.systemUTC())
                .start()) {
            assertThat(registry.isReady()).isFalse();
            int decisions = registry.audit().list(Optional.empty(), 100).size();

            registry.warmUp();

            assertThat(registry.isReady()).isTrue();
            assertThat(registry.devices()
                            .list(
                                    new DeviceStore.Filter(
                                            registry.fleets().names(),
                                            Optional.empty(),
                                            Optional.empty(),
                                            Optional.empty()),
                                    Optional.empty(),
                                    10)
                            .devices())
                    .isEmpty();
            registry.audit().flush();
            assertThat(registry.audit().list(Optional.empty(), 100)).hasSize(decisions);
        }
    }
}
