// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.TestRegistry;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Its tests wait more than they work. */
@Execution(ExecutionMode.CONCURRENT)
class WebhookOnH2Test implements WebhookContract {

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }
}
