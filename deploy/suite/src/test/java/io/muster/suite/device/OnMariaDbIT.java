// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.operator.ImportContract;
import io.muster.suite.operator.SerialListContract;
import org.junit.jupiter.api.Tag;

/** On MariaDB, on every server. */
@Tag("portable")
class OnMariaDbIT implements ScenarioContract, ImportContract, SerialListContract, RaceContract {

    @Override
    public RegistryUnderTest registry() {
        return SharedWorld.onMariaDb();
    }
}
