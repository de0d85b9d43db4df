// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.MusterConfig;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

class OperatorQueriesOnH2Test implements OperatorQueriesContract {

    @Override
    public Database open() {
        return Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:operators" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        8,
                        Duration.ofSeconds(10),
                        Duration.ZERO),
                List.of(),
                Clock.systemUTC());
    }

    @Override
    public String endless() {
        return "SELECT SUM(a.x * b.x) FROM SYSTEM_RANGE(1, 1000000) a, SYSTEM_RANGE(1, 1000000) b";
    }

    @Override
    public String slow() {
        return "SELECT SUM(a.x * b.x) FROM SYSTEM_RANGE(1, 1000) a, SYSTEM_RANGE(1, 1000) b";
    }
}
