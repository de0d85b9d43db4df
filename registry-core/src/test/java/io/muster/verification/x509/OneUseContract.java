// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import static io.muster.verification.x509.VerifierUnderTest.SERIAL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.api.RegistrationReceipt;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** A proof admits once, whichever node it is shown to; on every database. */
interface OneUseContract {

    Pki.Holder ROOT = Pki.authority("CN=Root").issue();
    Pki.Holder DEVICE = Pki.device("CN=" + SERIAL, ROOT).issue();

    /** A registry with a database of its own. */
    TestRegistry fresh();

    private TestRegistry withX509() {
        TestRegistry registry = fresh();
        return registry.with("muster.fleet.default.verifiers", "x509")
                .with("muster.fleet.default.register-again", "always")
                .with(
                        "muster.verifier.x509.ca-file",
                        ROOT.pem(registry.dataDir().resolve("ca.pem")).toString());
    }

    private static Candidate candidate(TestNode node) {
        return Candidates.withEvidence(
                SERIAL,
                Pki.evidence(
                        Pki.proof(
                                DEVICE,
                                SERIAL,
                                node.config().issuer().toString(),
                                node.nonces().issue().nonce()),
                        DEVICE.certificate()));
    }

    private static void assertRefused(TestNode node, Candidate candidate) {
        assertThatThrownBy(() -> node.registrar().register(candidate))
                .isInstanceOfSatisfying(RegistryException.class, no -> assertThat(no.type())
                        .isEqualTo(ProblemType.REGISTRATION_REFUSED));
    }

    @Test
    default void proofThatWasUsedOnOneNodeIsUsedOnTheOther() {
        TestRegistry registry = withX509();
        try (TestNode here = registry.start();
                TestNode there = registry.start()) {
            Candidate first = candidate(here);

            RegistrationReceipt receipt = there.registrar().register(first);

            assertThat(receipt.tags()).containsKeys("certificate", "serial");
            assertRefused(here, first);
            assertRefused(there, first);
            assertThat(here.registrar().register(candidate(there)).deviceId()).isEqualTo(receipt.deviceId());
        }
    }

    @Test
    default void ofManyAtOnceOnTwoNodesOneIsAdmitted() throws Exception {
        TestRegistry registry = withX509();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TestNode here = registry.start();
                TestNode there = registry.start()) {
            Candidate one = candidate(here);
            List<Callable<Boolean>> attempts = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                TestNode node = i % 2 == 0 ? here : there;
                attempts.add(() -> {
                    try {
                        node.registrar().register(one);
                        return true;
                    } catch (RegistryException e) {
                        assertThat(e.type()).isEqualTo(ProblemType.REGISTRATION_REFUSED);
                        return false;
                    }
                });
            }
            int admitted = 0;
            for (Future<Boolean> attempt : threads.invokeAll(attempts)) {
                admitted += attempt.get() ? 1 : 0;
            }
            assertThat(admitted).isEqualTo(1);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void refusedRegistrationSpendsNothing() {
        TestRegistry registry = withX509().with("muster.fleet.default.register-again", "never");
        try (TestNode node = registry.start()) {
            node.registrar().register(candidate(node));
            Candidate again = candidate(node);
            assertRefused(node, again);

            // The same proof, in a fleet where the serial is free.
            TestRegistry other = registry.with("muster.fleets", "second").with("muster.fleet.second.verifiers", "x509");
            try (TestNode second = other.start()) {
                Candidate elsewhere = new Candidate(
                        again.serial(), "second", again.publicKey(), again.evidence(), List.of(), again.origin());
                assertThat(second.registrar().register(elsewhere).fleet()).isEqualTo("second");
            }
        }
    }
}
