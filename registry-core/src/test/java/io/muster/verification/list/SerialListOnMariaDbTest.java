// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.TestRegistry;

class SerialListOnMariaDbTest implements SerialListContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
