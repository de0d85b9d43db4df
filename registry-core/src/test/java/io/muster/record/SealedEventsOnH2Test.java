// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.TestRegistry;

class SealedEventsOnH2Test implements SealedEventsContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
