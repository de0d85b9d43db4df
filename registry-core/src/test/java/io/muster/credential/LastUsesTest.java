// SPDX-License-Identifier: Apache-2.0
package io.muster.credential;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.config.MusterConfig;
import io.muster.persistence.Database;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The database accesses of a node for uses. */
class LastUsesTest {

    @Test
    void useSoonAfterOneThatThisNodeWroteIsNotAskedOfTheDatabase() {
        String url = "jdbc:h2:mem:uses" + System.nanoTime() + ";DB_CLOSE_DELAY=-1";
        TestRegistry test = TestRegistry.fresh()
                .with("anybody", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "anybody")
                .with("muster.database.url", url);
        RegistrationReceipt device;
        try (TestNode registry = test.start()) {
            device = registry.registrar().register(Candidate.of(new SerialNumber("SN-0001"), "default", "127.0.0.1"));
        }
        Instant first = TestRegistry.NOW;
        try (Database database = Database.open(
                new MusterConfig.Database(
                        url, Optional.empty(), Optional.empty(), 4, Duration.ofSeconds(10), Duration.ZERO),
                List.of(),
                Clock.systemUTC())) {
            LastUses uses = new LastUses(database);
            uses.used(device.key(), first);
            uses.flush();
            // Unnoticed by the node, so that a further write would show.
            assertThat(forgotten(test, first)).isOne();

            uses.used(device.key(), first.plus(LastUses.GRAIN).minusMillis(1));
            uses.flush();

            assertThat(forgotten(test, first.plus(LastUses.GRAIN).minusMillis(1)))
                    .isZero();

            uses.used(device.key(), first.plus(LastUses.GRAIN));
            uses.flush();

            assertThat(forgotten(test, first.plus(LastUses.GRAIN))).isOne();
        }
    }

    private static int forgotten(TestRegistry test, Instant use) {
        return test.execute("UPDATE credential SET last_used_at = NULL WHERE last_used_at = " + use.toEpochMilli());
    }
}
