// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.TestRegistry;

class ClientAssertionOnH2Test implements ClientAssertionContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
