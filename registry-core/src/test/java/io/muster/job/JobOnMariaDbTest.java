// SPDX-License-Identifier: Apache-2.0
package io.muster.job;

import io.muster.TestRegistry;

class JobOnMariaDbTest implements JobContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
