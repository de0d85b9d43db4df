// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.TestRegistry;

class OwnerAdmissionOnMariaDbTest implements OwnerAdmissionContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
