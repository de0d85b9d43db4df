// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.TestRegistry;

class SerialListOnH2Test implements SerialListContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
