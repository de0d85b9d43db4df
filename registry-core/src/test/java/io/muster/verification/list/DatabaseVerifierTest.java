// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.config.MusterConfig;
import io.muster.persistence.Database;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.Verdict;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DatabaseVerifierTest implements SerialVerifierContract {

    private final Database database = open();

    private static Database open() {
        return Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:verifier" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        4,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5)),
                List.of(),
                Clock.systemUTC());
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Override
    public SerialVerifier verifier() {
        ExpectedSerials serials = new ExpectedSerials(database);
        serials.put(
                "default",
                List.of(new ExpectedSerial(
                        "SN-0001",
                        Optional.of("Pump"),
                        Optional.of("L7"),
                        Map.of("colour", "blue"),
                        Map.of("temperature", "21.5"))),
                List.of(),
                (connection, leftOut) -> {});
        return new DatabaseVerifier(() -> serials, Clock.systemUTC());
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(Candidates.withSerial("SN-0001"));
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withSerial("SN-0002");
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() {
        Database closed = open();
        closed.close();
        return Optional.of(new DatabaseVerifier(() -> new ExpectedSerials(closed), Clock.systemUTC()));
    }

    @Test
    void whatTheListKnowsComesWithTheVerdict() {
        assertThat(verifier().verify(Candidates.withSerial("SN-0001")))
                .isEqualTo(new Verdict.Genuine(
                        Optional.of("Pump"), Map.of("colour", "blue", "lot", "L7"), Map.of("temperature", "21.5")));
    }

    @Test
    void serialOfAnotherFleetIsUnknown() {
        Candidate elsewhere = Candidate.of(Candidates.withSerial("SN-0001").serial(), "other", Candidates.ORIGIN);

        assertThat(verifier().verify(elsewhere)).isEqualTo(Verdict.unknown());
    }

    @Test
    void stateThatNobodyKnowsIsRefused() {
        SerialVerifier verifier = verifier();
        database.jdbcTransaction(connection -> {
            try (Statement update = connection.createStatement()) {
                return update.executeUpdate("UPDATE expected_serial SET state = 'X'");
            }
        });

        assertThat(verifier.verify(Candidates.withSerial("SN-0001"))).isInstanceOf(Verdict.Refused.class);
    }
}
