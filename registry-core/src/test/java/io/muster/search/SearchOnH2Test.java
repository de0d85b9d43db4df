// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.TestRegistry;

class SearchOnH2Test implements SearchContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
