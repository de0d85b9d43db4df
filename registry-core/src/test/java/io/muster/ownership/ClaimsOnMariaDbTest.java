// SPDX-License-Identifier: Apache-2.0
package io.muster.ownership;

import io.muster.TestRegistry;

class ClaimsOnMariaDbTest implements ClaimsContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
