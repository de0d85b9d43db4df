// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.TestRegistry;

class MasterKeyChangeOnH2Test implements MasterKeyChangeContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
