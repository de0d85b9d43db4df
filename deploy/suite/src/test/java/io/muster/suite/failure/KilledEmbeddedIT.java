// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.failure;

import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.server.MusterServer;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** On the embedded database, which dies with the registry. */
@Tag("extended")
@Aside
class KilledEmbeddedIT implements KilledContract {

    private static RegistryUnderTest registry;

    @BeforeAll
    static void start() {
        MusterServer server = MusterServer.start(SharedWorld.settings(SharedWorld.directory("killed"), Map.of()));
        registry = new RegistryUnderTest(server, server.operatorToken());
    }

    @AfterAll
    static void end() {
        if (registry != null) {
            registry.server().close();
        }
    }

    @Override
    public RegistryUnderTest registry() {
        return registry;
    }
}
