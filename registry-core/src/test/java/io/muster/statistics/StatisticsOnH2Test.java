// SPDX-License-Identifier: Apache-2.0
package io.muster.statistics;

import io.muster.TestRegistry;

class StatisticsOnH2Test implements StatisticsContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
