// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.VerificationUnavailableException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;

/** Strangers cannot fill the log, and a verifier's text cannot forge entries of it. */
class FloodTest {

    private static final Logger LOGGER = Logger.getLogger("io.muster");

    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            String text = new SimpleFormatter().formatMessage(entry);
            if (entry.getLevel().intValue() >= Level.WARNING.intValue() && text.contains("flooded")) {
                warnings.add(text);
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @Test
    void outageOfAVerifierIsLoggedOnceHoweverManyAsk() {
        TestRegistry test = TestRegistry.fresh()
                .with("flooded-down", candidate -> {
                    throw new VerificationUnavailableException("down\r\nSEVERE forged");
                })
                .with("flooded-sick", candidate -> {
                    throw new IllegalStateException();
                })
                .with("flooded-skipped", candidate -> {
                    throw new VerificationUnavailableException("away");
                })
                .with("muster.verifier.flooded-skipped.on-unavailable", "skip")
                .with("muster.fleets", "flooded-one, flooded-two")
                .with("muster.fleet.flooded-one.verifiers", "flooded-skipped, flooded-down")
                .with("muster.fleet.flooded-two.verifiers", "flooded-sick");
        try (TestNode registry = test.start()) {
            LOGGER.addHandler(handler);

            for (int i = 0; i < 100; i++) {
                for (String fleet : List.of("flooded-one", "flooded-two")) {
                    Candidate candidate =
                            Candidate.of(new SerialNumber("SN-%04d".formatted(i)), fleet, Candidates.ORIGIN);
                    assertThatThrownBy(() -> registry.registrar().register(candidate))
                            .isInstanceOf(RegistryException.class);
                }
            }
        } finally {
            LOGGER.removeHandler(handler);
        }

        assertThat(warnings)
                .containsExactly(
                        "Verifier flooded-skipped could not find out and is skipped: verifier flooded-skipped: away",
                        "A registration in fleet flooded-one cannot be decided: verifier flooded-down: down??SEVERE forged",
                        "Verifier flooded-sick failed with java.lang.IllegalStateException",
                        "A registration in fleet flooded-two cannot be decided: verifier flooded-sick failed with "
                                + "java.lang.IllegalStateException");
    }
}
