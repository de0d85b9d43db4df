// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.device;

import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.operator.ImportContract;
import io.muster.suite.operator.SerialListContract;

/** On the embedded database. */
class EmbeddedIT implements ScenarioContract, ImportContract, SerialListContract, RaceContract {

    @Override
    public RegistryUnderTest registry() {
        return SharedWorld.embedded();
    }
}
