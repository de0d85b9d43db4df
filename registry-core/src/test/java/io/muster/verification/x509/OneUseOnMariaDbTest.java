// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.TestRegistry;

class OneUseOnMariaDbTest implements OneUseContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
