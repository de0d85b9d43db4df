// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.TestRegistry;

class OneTimeTokenOnH2Test implements OneTimeTokenContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
