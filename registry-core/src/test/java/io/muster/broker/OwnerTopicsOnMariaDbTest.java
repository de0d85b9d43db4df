// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.TestRegistry;

class OwnerTopicsOnMariaDbTest implements OwnerTopicsContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
