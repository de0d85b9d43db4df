// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import io.muster.TestRegistry;

class SignInOnMariaDbTest implements SignInContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
