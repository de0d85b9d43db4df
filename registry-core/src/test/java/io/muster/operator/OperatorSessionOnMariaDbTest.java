// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import io.muster.TestRegistry;

class OperatorSessionOnMariaDbTest implements OperatorSessionContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
