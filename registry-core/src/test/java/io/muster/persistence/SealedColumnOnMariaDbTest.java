// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.TestRegistry;
import io.muster.config.MusterConfig;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

class SealedColumnOnMariaDbTest implements SealedColumnContract {

    @Override
    public Database open() {
        TestRegistry settings = TestRegistry.freshOnMariaDb();
        return Database.open(
                new MusterConfig.Database(
                        settings.setting("muster.database.url"),
                        Optional.of(settings.setting("muster.database.user")),
                        Optional.of(settings.setting("muster.database.password")),
                        8,
                        Duration.ofSeconds(10),
                        Duration.ZERO),
                List.of(),
                Clock.systemUTC());
    }
}
