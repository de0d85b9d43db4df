// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.persistence.GaleraCluster;
import io.muster.suite.ledger.World.Databases;
import java.time.Duration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Nothing that a registry answered is lost or comes back, whatever breaks. {@code muster.ledger.faults} is the number
 * of faults on all databases together, and {@code muster.ledger.seed} decides which. A failure names the ledger, which
 * has every answer and every fault with its time.
 */
@Tag("extended")
@Order(1)
class LedgerIT {

    private static void assertHolds(Databases kind, int percent) throws InterruptedException {
        int faults = Integer.getInteger("muster.ledger.faults") * percent / 100;
        // 50 take some minutes, 1,000 half an hour.
        assumeTrue(faults > 0, "no faults are wanted");
        LedgerRun.Result result =
                LedgerRun.of(kind, faults, Long.getLong("muster.ledger.seed"), false, Duration.ofMinutes(30));
        assertThat(result.wrong())
                .as("promises that were broken, as %s tells:%n%s", result.ledger(), result.report())
                .isEmpty();
    }

    @Test
    void promisesHoldOnThreeGaleraNodes() throws InterruptedException {
        GaleraCluster.required();
        assertHolds(Databases.GALERA, 44);
    }

    @Test
    void promisesHoldOnOneMariaDb() throws InterruptedException {
        assertHolds(Databases.MARIADB, 34);
    }

    @Test
    void promisesHoldOnTheEmbeddedDatabase() throws InterruptedException {
        assertHolds(Databases.EMBEDDED, 22);
    }
}
