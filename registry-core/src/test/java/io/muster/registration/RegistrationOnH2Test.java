package io.muster.registration;

import io.muster.TestRegistry;

class RegistrationOnH2Test implements RegistrationContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
