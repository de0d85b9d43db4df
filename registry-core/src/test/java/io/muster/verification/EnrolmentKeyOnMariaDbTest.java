package io.muster.verification;

import io.muster.TestRegistry;

class EnrolmentKeyOnMariaDbTest implements EnrolmentKeyContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.freshOnMariaDb();
    }
}
