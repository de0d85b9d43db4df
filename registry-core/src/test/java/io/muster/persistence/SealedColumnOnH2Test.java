// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.MusterConfig;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

class SealedColumnOnH2Test implements SealedColumnContract {

    @Override
    public Database open() {
        return Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:sealed" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        8,
                        Duration.ofSeconds(10),
                        Duration.ZERO),
                List.of(),
                Clock.systemUTC());
    }
}
