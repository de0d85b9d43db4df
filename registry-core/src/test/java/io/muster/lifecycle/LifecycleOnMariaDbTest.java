// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import io.muster.TestRegistry;

class LifecycleOnMariaDbTest implements LifecycleContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
