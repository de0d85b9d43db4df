package io.muster.verification;

import io.muster.TestRegistry;

class SerialListOnH2Test implements SerialListContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
