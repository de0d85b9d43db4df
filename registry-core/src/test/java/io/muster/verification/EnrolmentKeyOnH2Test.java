package io.muster.verification;

import io.muster.TestRegistry;

class EnrolmentKeyOnH2Test implements EnrolmentKeyContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
