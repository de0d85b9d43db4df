// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.TestRegistry;

class SealedEventsOnMariaDbTest implements SealedEventsContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
