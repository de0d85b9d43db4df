package io.muster.verification;

import io.muster.TestRegistry;
import io.muster.persistence.MariaDbServer;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class SerialListOnMariaDbTest implements SerialListContract {

    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static MariaDbServer server;

    @BeforeAll
    static void start() {
        server = MariaDbServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh()
                .with("muster.database.url", server.jdbcUrl("lists" + DATABASES.incrementAndGet()))
                .with("muster.database.user", server.user())
                .with("muster.database.password", server.password());
    }
}
