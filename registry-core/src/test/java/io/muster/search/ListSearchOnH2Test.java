// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.TestRegistry;

class ListSearchOnH2Test implements ListSearchContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
