// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import io.muster.TestRegistry;

class SigningKeysOnMariaDbTest implements SigningKeysContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
