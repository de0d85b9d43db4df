// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.api.ProblemType;
import io.muster.problem.RegistryException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The promises about operators' queries on every database. */
interface OperatorQueriesContract {

    /** A database with eight connections. */
    Database open();

    /** A query that would take for hours. */
    String endless();

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static void assertProblem(Runnable query, ProblemType expected) {
        assertThatThrownBy(query::run).isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                .isEqualTo(expected));
    }

    @Test
    default void statementThatTakesTooLongIsEndedByTheDatabaseAndIsNoOutage() {
        try (Database database = open()) {
            OperatorQueries hasty = new OperatorQueries(database, 1, Duration.ofMillis(300));

            for (int time = 0; time < 3; time++) {
                assertProblem(() -> hasty.jdbc(connection -> number(connection, endless())), ProblemType.TOO_SLOW);
            }

            assertThat(hasty.<Long>jdbc(connection -> number(connection, "SELECT 1")))
                    .isOne();
        }
    }

    @Test
    default void othersOnTheSameConnectionsHaveAllTheTimeTheyNeed() {
        try (Database database = open()) {
            OperatorQueries hasty = new OperatorQueries(database, 1, Duration.ofMillis(1));
            for (int time = 0; time < 10; time++) {
                assertProblem(() -> hasty.jdbc(connection -> number(connection, endless())), ProblemType.TOO_SLOW);
            }

            assertThat(database.<Long>jdbc(connection -> number(connection, slow())))
                    .isPositive();
        }
    }

    /** A query that takes longer than some milliseconds, and ends. */
    String slow();

    @Test
    default void changeThatWaitsTooLongForALockChangesNothingAndIsNoOutage() {
        try (Database database = open()) {
            OperatorQueries hasty = new OperatorQueries(database, 1, Duration.ofMillis(300));
            database.transaction(em -> em.createNativeQuery(
                            "INSERT INTO lot (fleet, name, paused, imported) VALUES ('f', 'l', FALSE, 0)")
                    .executeUpdate());

            database.transaction(em -> {
                em.createNativeQuery("UPDATE lot SET imported = 1").executeUpdate();
                assertProblem(
                        () -> hasty.change(other -> other.createNativeQuery("UPDATE lot SET imported = imported + 10")
                                .executeUpdate()),
                        ProblemType.TOO_SLOW);
                return null;
            });

            hasty.change(em -> em.createNativeQuery("UPDATE lot SET imported = imported + 100")
                    .executeUpdate());
            assertThat(database.<Long>jdbc(connection -> number(connection, "SELECT imported FROM lot")))
                    .isEqualTo(101);
        }
    }

    @Test
    default void queriesOfOperatorsLeaveConnectionsToOthersAndThoseThatFindNoPlaceAreTooMany() throws Exception {
        int places = OperatorQueries.share(8);
        CountDownLatch taken = new CountDownLatch(places);
        CountDownLatch end = new CountDownLatch(1);
        ExecutorService operators = Executors.newFixedThreadPool(places);
        try (Database database = open()) {
            for (int i = 0; i < places; i++) {
                var unused = operators.submit(() -> database.forOperators().jdbc(connection -> {
                    taken.countDown();
                    awaitUninterruptibly(end);
                    return null;
                }));
            }
            assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();

            assertProblem(
                    () -> database.forOperators().jdbc(connection -> number(connection, "SELECT 1")),
                    ProblemType.TOO_BUSY);
            assertThat(database.<Long>jdbc(connection -> number(connection, "SELECT 1")))
                    .isOne();

            end.countDown();
            operators.shutdown();
            assertThat(operators.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
            assertThat(database.forOperators().<Long>jdbc(connection -> number(connection, "SELECT 1")))
                    .isOne();
        } finally {
            end.countDown();
            operators.shutdownNow();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
