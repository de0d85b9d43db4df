// SPDX-License-Identifier: Apache-2.0
package io.muster.approval;

import io.muster.TestRegistry;

class ApprovalOnMariaDbTest implements ApprovalContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
