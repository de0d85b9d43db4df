// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import io.muster.TestRegistry;

class ApprovalOnH2Test implements ApprovalContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
