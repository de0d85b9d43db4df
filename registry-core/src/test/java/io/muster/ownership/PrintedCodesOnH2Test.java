// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.TestRegistry;

class PrintedCodesOnH2Test implements PrintedCodesContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
