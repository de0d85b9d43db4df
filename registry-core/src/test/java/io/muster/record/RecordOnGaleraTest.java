// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import io.muster.TestRegistry;
import io.muster.persistence.GaleraCluster;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Each registry node has a database node of its own. */
@Tag("extended")
class RecordOnGaleraTest implements RecordContract {

    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static GaleraCluster cluster;

    @BeforeAll
    static void start() {
        GaleraCluster.required();
        cluster = GaleraCluster.start();
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Override
    public TestRegistry fresh() {
        return TestRegistry.onGalera(cluster, "record" + DATABASES.incrementAndGet());
    }
}
