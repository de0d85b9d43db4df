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
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.state.ActionChain;

/** A registry of two nodes answers like {@link SerialModel}, whatever devices and operators do. */
class RegistrationModelTest {

    private static final class Nodes {
        static final ModelledRegistry TWO = new ModelledRegistry(TestRegistry.fresh(), 2);
    }

    @AfterContainer
    static void stop() {
        Nodes.TWO.close();
    }

    @Provide
    Arbitrary<ActionChain<Walk>> sequential() {
        return ModelHistories.sequential(Nodes.TWO);
    }

    @Provide
    Arbitrary<Concurrent> concurrent() {
        return ModelHistories.concurrent(Nodes.TWO);
    }

    @Property(tries = 150, seed = "17", edgeCases = EdgeCasesMode.NONE)
    void answersOneAfterTheOtherAreThoseOfTheModel(@ForAll("sequential") ActionChain<Walk> history) {
        history.run();
    }

    @Property(tries = 60, seed = "17", edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
    void answersAtOnceAreThoseOfTheModelInSomeOrder(@ForAll("concurrent") Concurrent history) {
        ModelHistories.check(Nodes.TWO, history);
    }
}
