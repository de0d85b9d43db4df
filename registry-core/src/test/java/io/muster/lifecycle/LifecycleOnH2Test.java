// SPDX-License-Identifier: Apache-2.0
package io.muster.lifecycle;

import io.muster.TestRegistry;

class LifecycleOnH2Test implements LifecycleContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
