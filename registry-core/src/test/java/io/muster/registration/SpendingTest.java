// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.muster.TestRegistry;
import io.muster.config.MusterConfig;
import io.muster.persistence.Database;
import io.muster.persistence.MariaDbServer;
import java.nio.ByteBuffer;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tests that a use is forgotten. That it is spent once is tested with each kind of use. */
class SpendingTest {

    private static final Instant NOW = TestRegistry.NOW;

    private static Database open(String url, Optional<String> user, Optional<String> password) {
        return Database.open(
                new MusterConfig.Database(url, user, password, 4, Duration.ofSeconds(2), Duration.ofSeconds(5)),
                List.of(),
                Clock.systemUTC());
    }

    private static void use(Database database, int from, int to, Instant until) {
        database.jdbcTransaction(connection -> {
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO used_once (id, fleet, serial, expires_at) VALUES (?, 'default', 'SN-0001', ?)")) {
                for (int i = from; i < to; i++) {
                    insert.setBytes(1, ByteBuffer.allocate(32).putInt(i).array());
                    insert.setLong(2, until.toEpochMilli());
                    insert.addBatch();
                }
                return insert.executeBatch();
            }
        });
    }

    private static int used(Database database) {
        return database.jdbc(connection -> {
            try (PreparedStatement count = connection.prepareStatement("SELECT COUNT(*) FROM used_once");
                    ResultSet row = count.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        });
    }

    private static void assertForgets(Database database) {
        use(database, 0, 2500, NOW);
        use(database, 2500, 2510, NOW.plusSeconds(1));

        Spending.forgetExpired(database, at(NOW.plus(Duration.ofMinutes(10))));
        assertThat(used(database))
                .as("a node whose clock is behind may still accept them")
                .isEqualTo(2510);

        Spending.forgetExpired(database, at(NOW.plus(Duration.ofMinutes(10)).plusMillis(1)));
        assertThat(used(database)).isEqualTo(10);
    }

    private static Clock at(Instant instant) {
        return Clock.fixed(instant, ZoneOffset.UTC);
    }

    @Test
    void whatHasExpiredIsForgottenOnH2() {
        try (Database database = open("jdbc:h2:mem:spending;DB_CLOSE_DELAY=-1", Optional.empty(), Optional.empty())) {
            assertForgets(database);
        }
    }

    @Test
    void whatHasExpiredIsForgottenOnMariaDb() {
        try (MariaDbServer server = MariaDbServer.start();
                Database database =
                        open(server.jdbcUrl("spending"), Optional.of(server.user()), Optional.of(server.password()))) {
            assertForgets(database);
        }
    }

    @Test
    void databaseThatIsAwayIsTriedAgainLater() {
        Database closed = open("jdbc:h2:mem:closed;DB_CLOSE_DELAY=-1", Optional.empty(), Optional.empty());
        closed.close();

        assertThatCode(() -> Spending.forgetExpired(closed, at(NOW))).doesNotThrowAnyException();
    }
}
