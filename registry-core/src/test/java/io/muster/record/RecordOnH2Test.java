// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.TestRegistry;

class RecordOnH2Test implements RecordContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
