// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.TestRegistry;
import net.jqwik.api.lifecycle.AfterContainer;

class SearchPropertiesOnH2Test extends SearchProperties {

    private static final class Known {
        static final SearchWorld WORLD = new SearchWorld(TestRegistry.fresh());
    }

    @AfterContainer
    static void stop() {
        Known.WORLD.close();
    }

    @Override
    SearchWorld world() {
        return Known.WORLD;
    }
}
