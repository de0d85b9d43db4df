package io.muster.suite;

import static io.muster.suite.Within.within;

import io.muster.persistence.MariaDbServer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** On MariaDB, whose server is killed, too. */
@Aside
class KilledOnMariaDbIT implements KilledContract {

    @Override
    public RegistryUnderTest registry() {
        return Registries.disposable().registry();
    }

    @Test
    void everyAcknowledgedRegistrationSurvivesTheKillingOfTheDatabase() {
        MariaDbServer mariaDb = Registries.disposable().mariaDb();

        KilledContract.assertSurvives(registry(), mariaDb::kill, () -> {
            mariaDb.restart();
            within(
                    Duration.ofSeconds(30),
                    "ready again",
                    () -> registry().get("health/ready").status() == 200);
        });
    }
}
