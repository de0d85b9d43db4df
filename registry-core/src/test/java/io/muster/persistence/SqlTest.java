// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.MusterConfig;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SqlTest {

    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00.123Z");
    private static final String INSERT =
            "INSERT INTO thing (id, name, small, large, at, truth) VALUES (?, ?, ?, ?, ?, ?)";

    private Database database;

    @BeforeEach
    void open() {
        database = Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:sql" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        4,
                        Duration.ofSeconds(10),
                        Duration.ZERO),
                List.of(),
                Clock.systemUTC());
        database.jdbc(Sql.of("CREATE TABLE thing (id VARBINARY(16) PRIMARY KEY, name VARCHAR(9), small INT,"
                        + " large BIGINT, at BIGINT, truth BOOLEAN)")
                .update());
    }

    @AfterEach
    void close() {
        database.close();
    }

    private int insert(int id, Object... rest) {
        Object[] parameters = {new byte[] {(byte) id}, rest[0], rest[1], rest[2], rest[3], rest[4]};
        return database.jdbc(Sql.of(INSERT, parameters).update());
    }

    @Test
    void everyKindOfParameterIsStoredAsWhatItIs() {
        assertThat(insert(7, "seven", 7, 1L << 40, NOON, true)).isOne();

        Optional<List<Object>> row = database.jdbc(Sql.of(
                        "SELECT id, name, small, large, at, truth FROM thing WHERE id = ? AND name = ? AND small = ?"
                                + " AND large = ? AND at = ? AND truth = ?",
                        new byte[] {7},
                        "seven",
                        7,
                        1L << 40,
                        NOON,
                        true)
                .first(found -> List.of(
                        found.getBytes(1)[0],
                        found.getString(2),
                        found.getInt(3),
                        found.getLong(4),
                        Sql.time(found, 5),
                        found.getBoolean(6))));

        assertThat(row).contains(List.of((byte) 7, "seven", 7, 1L << 40, Optional.of(NOON), true));
    }

    @Test
    void nullIsStoredAsNullInAnyColumn() {
        insert(1, null, null, null, null, null);

        assertThat(database.jdbc(Sql.of("SELECT 1 FROM thing WHERE name IS NULL AND small IS NULL AND large IS NULL"
                                + " AND at IS NULL AND truth IS NULL")
                        .exists()))
                .isTrue();
        assertThat(database.jdbc(Sql.of("SELECT large, at FROM thing")
                        .first(row -> Sql.number(row, 1).isPresent()
                                || Sql.time(row, 2).isPresent())))
                .contains(false);
    }

    @Test
    void whatIsNoParameterIsRefused() {
        assertThatThrownBy(() -> database.jdbc(Sql.of("SELECT 1 FROM thing WHERE large = ?", BigDecimal.ONE)
                        .exists()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a BigDecimal cannot be bound");
    }

    @Test
    void rowsAreReadInTheirOrderAndNoneIsAnEmptyList() {
        insert(2, "b", 0, 0L, NOON, false);
        insert(1, "a", 0, 0L, NOON, false);
        Sql names = Sql.of("SELECT name FROM thing ORDER BY id");

        assertThat(database.jdbc(names.list(row -> row.getString(1)))).containsExactly("a", "b");
        assertThat(database.jdbc(names.first(row -> row.getString(1)))).contains("a");
        Sql none = Sql.of("SELECT name FROM thing WHERE name = ?", List.of("c"));
        assertThat(database.jdbc(none.list(row -> row.getString(1)))).isEmpty();
        assertThat(database.jdbc(none.first(row -> row.getString(1)))).isEmpty();
        assertThat(database.jdbc(none.exists())).isFalse();
    }

    @Test
    void eachRowIsHandedOver() {
        insert(1, "a", 10, 0L, NOON, false);
        insert(2, "b", 20, 0L, NOON, false);
        Map<String, Integer> found = new TreeMap<>();

        database.jdbc(
                Sql.of("SELECT name, small FROM thing").forEach(row -> found.put(row.getString(1), row.getInt(2))));

        assertThat(found).isEqualTo(Map.of("a", 10, "b", 20));
    }

    @Test
    void aBatchSaysHowManyRowsEachChanged() {
        insert(1, "a", 0, 0L, NOON, false);
        insert(2, "a", 0, 0L, NOON, false);

        int[] changed = database.jdbcTransaction(
                Sql.batch("UPDATE thing SET small = ? WHERE name = ?", List.of("a", "b"), name ->
                        new Object[] {name.equals("a") ? null : 1, name}));

        assertThat(changed).containsExactly(2, 0);
    }

    @Test
    void aBatchOfNothingAsksNothing() {
        int[] changed = database.jdbc(Sql.batch("no SQL at all", List.<String>of(), name -> new Object[] {name}));

        assertThat(changed).isEmpty();
    }

    @Test
    void aStatementCanRunAgain() {
        Sql insert = Sql.of("INSERT INTO thing (id, name) VALUES (RANDOM_UUID(), ?)", "a");

        database.jdbcTransaction(
                connection -> insert.update().in(connection) + insert.update().in(connection));

        assertThat(database.jdbc(Sql.of("SELECT name FROM thing").list(row -> row.getString(1))))
                .containsExactly("a", "a");
    }
}
