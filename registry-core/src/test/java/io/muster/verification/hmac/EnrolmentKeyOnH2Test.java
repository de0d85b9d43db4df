// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.hmac;

import io.muster.TestRegistry;

class EnrolmentKeyOnH2Test implements EnrolmentKeyContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
