// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import static io.muster.suite.fixture.Within.within;

import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/** On MariaDB, whose server is killed, too. */
@Tag("extended")
@Aside
@ResourceLock("SharedWorld.disposable")
class KilledOnMariaDbIT implements KilledContract {

    @Override
    public RegistryUnderTest registry() {
        return SharedWorld.disposable().registry();
    }

    @Test
    void everyAcknowledgedRegistrationSurvivesTheKillingOfTheDatabase() {
        MariaDbServer mariaDb = SharedWorld.disposable().mariaDb();

        KilledContract.assertSurvives(registry(), mariaDb::kill, () -> {
            mariaDb.restart();
            within(
                    Duration.ofSeconds(30),
                    "ready again",
                    () -> registry().get("health/ready").status() == 200);
        });
    }
}
