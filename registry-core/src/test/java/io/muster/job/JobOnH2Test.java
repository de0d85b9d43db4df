// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.TestRegistry;

class JobOnH2Test implements JobContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
