// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.TestRegistry;

class SearchOnMariaDbTest implements SearchContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
