// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.TestRegistry;

class MasterKeyChangeOnMariaDbTest implements MasterKeyChangeContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
