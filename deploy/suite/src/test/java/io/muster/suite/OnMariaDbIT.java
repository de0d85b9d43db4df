package io.muster.suite;

import org.junit.jupiter.api.Tag;

/** On MariaDB, on every server. */
@Tag("portable")
class OnMariaDbIT implements ScenarioContract, ImportContract, SerialListContract, RaceContract {

    @Override
    public RegistryUnderTest registry() {
        return Registries.onMariaDb();
    }
}
