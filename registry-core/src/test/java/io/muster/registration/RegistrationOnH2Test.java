// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.TestRegistry;
import io.muster.fleet.FleetsContract;

class RegistrationOnH2Test implements RegistrationContract, FleetsContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
