// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.TestRegistry;

class WebhookOnH2Test implements WebhookContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
