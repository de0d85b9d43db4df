// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.TestRegistry;
import io.muster.registration.ModelHistories.Concurrent;
import io.muster.registration.ModelHistories.Walk;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.state.ActionChain;

/** As {@link RegistrationModelTest}, with more histories and also on MariaDB. */
@Tag("extended")
class RegistrationModelLongTest {

    private static final class OnH2 {
        static final ModelledRegistry NODES = new ModelledRegistry(TestRegistry.fresh(), 3);
    }

    private static final class OnMariaDb {
        static final ModelledRegistry NODES = new ModelledRegistry(TestRegistry.freshOnMariaDb(), 3);
    }

    @AfterContainer
    static void stop() {
        OnH2.NODES.close();
        OnMariaDb.NODES.close();
    }

    @Provide
    Arbitrary<ActionChain<Walk>> sequentialOnH2() {
        return ModelHistories.sequential(OnH2.NODES);
    }

    @Provide
    Arbitrary<ActionChain<Walk>> sequentialOnMariaDb() {
        return ModelHistories.sequential(OnMariaDb.NODES);
    }

    @Provide
    Arbitrary<Concurrent> concurrentOnH2() {
        return ModelHistories.concurrent(OnH2.NODES);
    }

    @Provide
    Arbitrary<Concurrent> concurrentOnMariaDb() {
        return ModelHistories.concurrent(OnMariaDb.NODES);
    }

    @Property(tries = 200, seed = "17", edgeCases = EdgeCasesMode.NONE)
    void sequentialHistoriesOnH2(@ForAll("sequentialOnH2") ActionChain<Walk> history) {
        history.run();
    }

    @Property(tries = 50, seed = "17", edgeCases = EdgeCasesMode.NONE)
    void sequentialHistoriesOnMariaDb(@ForAll("sequentialOnMariaDb") ActionChain<Walk> history) {
        history.run();
    }

    /** Each run of a concurrent history differs, so a smaller history need not fail. */
    @Property(tries = 100, seed = "17", edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
    void concurrentHistoriesOnH2(@ForAll("concurrentOnH2") Concurrent history) {
        ModelHistories.check(OnH2.NODES, history);
    }

    @Property(tries = 60, seed = "17", edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
    void concurrentHistoriesOnMariaDb(@ForAll("concurrentOnMariaDb") Concurrent history) {
        ModelHistories.check(OnMariaDb.NODES, history);
    }
}
