// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.TestRegistry;

class RevokedTokenOnMariaDbTest implements RevokedTokenContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
