package io.muster.verification;

import io.muster.TestRegistry;

class SerialListOnMariaDbTest implements SerialListContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
