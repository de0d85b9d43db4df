// SPDX-License-Identifier: Apache-2.0
package io.muster.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.config.ConfigurationException;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.verification.policy.Rules;
import io.muster.verification.policy.Verifiers;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A strategy is added by a class of its own: {@link OddStrategy} is only in the code of tests. */
class StrategyTest {

    private static Candidate candidate(String serial) {
        return Candidate.of(new SerialNumber(serial), "default", "192.0.2.1");
    }

    @Test
    void strategyThatIsABeanIsUsedByAFleet() {
        try (TestNode node = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "odd")
                .start()) {
            RegistrationReceipt receipt = node.registrar().register(candidate("SN-7"));

            assertThat(receipt.tags()).containsEntry("seen", TestRegistry.NOW.toString());
            assertThatThrownBy(() -> node.registrar().register(candidate("SN-8")))
                    .isInstanceOf(RegistryException.class);
        }
    }

    @Test
    void severalVerifiersOfOneStrategyHaveSettingsOfTheirOwn() {
        try (TestNode node = TestRegistry.fresh()
                .with("muster.verifier.first.type", "odd")
                .with("muster.verifier.first.tag", "one")
                .with("muster.verifier.second.type", "odd")
                .with("muster.verifier.second.tag", "two")
                .with("muster.fleet.default.verifiers", "first,second")
                .with("muster.fleet.default.required", "2")
                .start()) {
            assertThat(node.registrar().register(candidate("SN-7")).tags()).containsKeys("one", "two");
        }
    }

    @Test
    void whatTheStrategySaysOfItselfIsKnown() {
        try (TestNode node = TestRegistry.fresh().start()) {
            Verifiers verifiers = node.part(Verifiers.class);

            assertThat(verifiers.neverGenuine("block-list")).isTrue();
            assertThat(verifiers.neverGenuine("odd")).isFalse();
            assertThat(verifiers.onlyIdentify(Rules.of(List.of("database"), 1))).isTrue();
            assertThat(verifiers.onlyIdentify(Rules.of(List.of("odd"), 1))).isFalse();
        }
    }

    @Test
    void nameOfAStrategyIsTakenForOthers() {
        SerialVerifier bean = candidate -> Verdict.genuine();

        assertThatThrownBy(() -> TestRegistry.fresh().with("odd", bean).start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("its verifier has the name of the built-in verifier odd");
    }
}
